"""Draw true and predicted skeletons side by side, from COCO annotations and a results file.

A results file is what the COCO metric writes: PREFIX.keypoints.json, where PREFIX is the metric's
`outfile_prefix`. Several are drawn side by side. Without --images the skeletons are drawn on blank
paper of the pictures' size. The category in the annotation file says which keypoints are joined.

python tools/draw_predictions.py data/synthetic/annotations/person_keypoints_val.json \
    work_dirs/demo/results.keypoints.json --images data/synthetic/val --out work_dirs/demo/pictures
"""

import argparse
import json
import reprlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from dyrelu_pose.config.arguments import at_least_one, finite
from dyrelu_pose.datasets.bad_entries import bad_records, has_lists, read_annotations
from dyrelu_pose.datasets.checks import entries_of, is_number, keypoints_problem, name_of
from dyrelu_pose.datasets.load_image import read_image
from dyrelu_pose.errors import AnnotationError, UserError, user_errors
from dyrelu_pose.inference.inputs import evenly_spaced
from dyrelu_pose.records.files import check_output_folder
from dyrelu_pose.visualization.skeletons import COCO, Skeleton, contact_sheet, paper, side_by_side

SHEET = "sheet.png"


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("annotations", type=Path, help="COCO person_keypoints_*.json")
    parser.add_argument(
        "results", type=Path, nargs="+", help="PREFIX.keypoints.json of the same images"
    )
    parser.add_argument("--images", type=Path, help="folder of the images (blank paper)")
    parser.add_argument(
        "--names", nargs="+", help="captions of the results (Prediction, or the files' PREFIX)"
    )
    parser.add_argument(
        "--out", type=Path, help=f"folder for the pictures and {SHEET} (pictures beside RESULTS)"
    )
    parser.add_argument(
        "--num", type=at_least_one, default=12, help="how many images (%(default)s)"
    )
    parser.add_argument(
        "--threshold", type=finite, default=0.2, help="lowest keypoint score drawn (%(default)s)"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the pictures and say where they are."""
    args = parse_args(argv)
    out = args.out or args.results[0].parent / "pictures"
    check_output_folder(out)
    results = dict(zip(names_of(args.results, args.names), args.results, strict=True))
    print(draw_predictions(args.annotations, results, args.images, out, args.num, args.threshold))


def names_of(results: list[Path], names: list[str] | None) -> list[str]:
    """Return the captions of results files.

    Raises:
        UserError: There are not as many different names as files.
    """
    if names is None:
        single = len(results) == 1
        names = ["Prediction"] if single else [path.name.split(".")[0] for path in results]
    if len(set(names)) != len(results):
        raise UserError(f"{len(results)} results need as many different --names, not {names}")
    return names


def draw_predictions(
    annotations: Path,
    results: dict[str, Path],
    images: Path | None,
    out: Path,
    num: int,
    threshold: float,
) -> Path:
    """Draw `num` images with labelled people, evenly spread over the annotation file.

    Args:
        annotations: COCO keypoint annotations.
        results: COCO keypoint results of the same images, by caption.
        images: Folder of the images; None draws on blank paper.
        out: Folder to write one PNG per image and a contact sheet to.
        num: Number of images.
        threshold: Lowest score of a predicted keypoint that is drawn.

    Returns:
        The contact sheet.

    Raises:
        UserError: A file is missing or not what it should be, an image cannot be read or is not
            of the annotated size, or the two files are of different images or keypoints; or a
            drawing would replace an image.
    """
    infos, people, skeleton = _read_annotations(annotations)
    truth = _by_image(people, len(skeleton.names))
    predicted = {name: _read_results(path, len(skeleton.names)) for name, path in results.items()}
    for name, by_image in predicted.items():
        if foreign := sorted(by_image.keys() - infos.keys()):
            raise UserError(f"{results[name]}: image {foreign[0]} is not in {annotations}")
    labelled = sorted(truth)
    if not labelled:
        raise UserError(f"{annotations}: nobody has a labelled keypoint")

    chosen = [labelled[i] for i in evenly_spaced(len(labelled), num)]
    targets = _targets(out, {image_id: infos[image_id]["file_name"] for image_id in chosen})
    if images is not None:
        originals = {(images / info["file_name"]).resolve() for info in infos.values()}
        for target in (*targets.values(), out / SHEET):
            if target.resolve() in originals:
                raise UserError(f"{target} is a picture that would be replaced: name another --out")
    out.mkdir(parents=True, exist_ok=True)
    tiles = []
    for image_id, target in targets.items():
        found = {name: by_image.get(image_id, []) for name, by_image in predicted.items()}
        picture = _picture(images, infos[image_id])
        tile = side_by_side(picture, truth[image_id], found, threshold, skeleton)
        tiles.append(tile)
        _write(target, tile)
    columns, width = (3, 560) if len(results) == 1 else (2, 840)
    _write(out / SHEET, contact_sheet(tiles, min(len(tiles), columns), width))
    return out / SHEET


def _targets(out: Path, names: dict[int, str]) -> dict[int, Path]:
    """Return the file of each drawing, by image id, which is in the name where two have one."""
    stems = {image_id: Path(name).stem for image_id, name in names.items()}
    taken = Counter([*stems.values(), Path(SHEET).stem])
    return {
        image_id: out / f"{stem if taken[stem] == 1 else f'{stem}_{image_id}'}.png"
        for image_id, stem in stems.items()
    }


def _picture(images: Path | None, info: dict) -> np.ndarray:
    width, height = info.get("width"), info.get("height")
    shape = None
    if is_number(width) and is_number(height) and width > 0 and height > 0:
        shape = int(height), int(width)
    if images is not None:
        return read_image(images / info["file_name"], shape)[..., ::-1]
    if shape is None:
        raise UserError(f"image {info['id']} has no width and height for paper: name --images")
    return paper(shape[1], shape[0])


def _read_annotations(path: Path) -> tuple[dict[int, dict], list[dict], Skeleton]:
    """Return the entries of images by their ids, labelled people, and what their keypoints are.

    Raises:
        AnnotationError: The file is none of COCO keypoints, or an entry cannot be right.
    """
    content = read_annotations(path)
    if not has_lists(content):
        raise AnnotationError(f"{path}: no COCO keypoint annotations, lists of images and people")
    for _, problem in bad_records(content, None):
        raise AnnotationError(f"{path}: {problem}; correct it")
    people = []
    for i, person in enumerate(content["annotations"]):
        points = person.get("keypoints") or []
        number = len(people[0]["keypoints"] if people else points) // 3
        if problem := keypoints_problem(points, number if points else 0):
            raise AnnotationError(f"{path}: annotation {name_of(person, i)} {problem}; correct it")
        if any(points[2::3]):
            people.append(person)
    try:
        skeleton = _skeleton(entries_of(content, "categories"), people)
    except ValueError as error:
        raise AnnotationError(f"{path}: {error}") from error
    return {image["id"]: image for image in content["images"]}, people, skeleton


def _skeleton(categories: Sequence[dict], people: Sequence[dict]) -> Skeleton:
    """Return what the first person's category says, or COCO's skeleton, or as many bare points.

    Raises:
        ValueError: The limbs of the category are no pairs of its keypoints.
    """
    if not people:
        return COCO
    number = len(people[0]["keypoints"]) // 3
    bare = COCO if number == len(COCO.names) else Skeleton(("",) * number, ())
    kinds = {kind.get("id"): kind for kind in categories if isinstance(kind, dict)}
    kind = kinds.get(people[0]["category_id"], {})
    names = tuple(kind.get("keypoints") or ())
    if len(names) != number or names == COCO.names:
        return bare
    limbs = kind.get("skeleton") or ()
    if not all(_is_limb(limb, number) for limb in limbs):
        raise ValueError(f"the skeleton of category {kind['id']} has to count from 1 to {number}")
    return Skeleton(names, tuple((a - 1, b - 1) for a, b in limbs))


def _is_limb(limb: object, number: int) -> bool:
    """Whether a value is two of so many keypoints, which count from 1."""
    ends = limb if isinstance(limb, list) else []
    return len(ends) == 2 and all(type(end) is int and 1 <= end <= number for end in ends)


def _read_results(path: Path, keypoints: int) -> dict[int, list[np.ndarray]]:
    """Return the predicted people of a file by image id, as `_by_image`.

    Raises:
        UserError: It is no list of COCO keypoint results of so many keypoints.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no COCO keypoint results ({error})") from error
    if not isinstance(found, list):
        raise UserError(f"{path}: no COCO keypoint results, a list with an entry per person")
    for i, entry in enumerate(found):
        if problem := _result_problem(entry, keypoints):
            raise UserError(f"{path}: entry {i} {problem}")
    return _by_image(found, keypoints)


def _result_problem(entry: object, keypoints: int) -> str | None:
    if not isinstance(entry, dict):
        return f"is {reprlib.repr(entry)}, not a dict"
    image, values = entry.get("image_id"), entry.get("keypoints")
    if type(image) is not int:
        return f"has the image_id {image!r}: ids are whole numbers, such as 1"
    if not isinstance(values, list) or not all(map(is_number, values)):
        return f"of image {image} has the keypoints {reprlib.repr(values)}, not a list of numbers"
    if len(values) != 3 * keypoints:
        return f"of image {image} has {len(values) / 3:g} keypoints, not {keypoints}"
    return None


def _by_image(entries: Sequence[dict], keypoints: int) -> dict[int, list[np.ndarray]]:
    """Return the (K, 3) keypoints of all people, by image id."""
    people = defaultdict(list)
    for entry in entries:
        points = np.array(entry["keypoints"], dtype=float).reshape(keypoints, 3)
        people[entry["image_id"]].append(points)
    return people


def _write(path: Path, picture: np.ndarray) -> None:
    path.write_bytes(cv2.imencode(".png", picture[..., ::-1])[1].tobytes())


if __name__ == "__main__":
    with user_errors():
        main()
