"""Reads COCO keypoint files, and finds what cannot be right in them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

from dyrelu_pose.errors import AnnotationError, first_of, plural

from .checks import box_problem, entries_of, is_number, keypoints_problem, name_of
from .doubts import find_doubts

LARGEST = 2**63 - 1  # id that an array of whole numbers holds


def bad_records(content: object, keypoints: int | None) -> Iterator[tuple[dict | object, str]]:
    """Yield (entry, what is wrong with it) for images and annotations.

    Persons that MMPose leaves out by itself (crowds, without labelled keypoints, with boxes outside
    of the image) are right. What would end in a traceback, or in a target that nobody drew, is not.

    Args:
        content: The parsed file.
        keypoints: Number of keypoints of a person; None: boxes, keypoints and sizes of pictures are
            the affair of the class that reads them.
    """
    images = {}
    for i, image in enumerate(entries_of(content, "images")):
        problem = _image_problem(image, keypoints is not None)
        if problem is None and image["id"] in images:
            problem = "has the id of another image"
        if problem is None:
            images[image["id"]] = image
        else:
            yield image, f"image {name_of(image, i)} {problem}"
    ids = set()
    for i, annotation in enumerate(entries_of(content, "annotations")):
        problem = _annotation_problem(annotation, images, keypoints)
        if problem is None and annotation["id"] in ids:
            problem = "has the id of another annotation"
        if problem is None:
            ids.add(annotation["id"])
        else:
            yield annotation, f"annotation {name_of(annotation, i)} {problem}"


def read_annotations(path: str | Path, what: str = "annotation file") -> object:
    """Return the content of an annotation file, or of what else a data set reads.

    Raises:
        AnnotationError: It is not a file, or not JSON in UTF-8.
    """
    try:
        return json.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise AnnotationError(f"{what} {path}: {error.strerror}") from error
    except ValueError as error:
        raise AnnotationError(f"{what} {path} is not valid JSON: {error}") from error


def checked(
    content: object, ann_file: str, keypoints: int | None, skip: bool | None
) -> tuple[dict, list[str]]:
    """Return a file's content, without what cannot be right, and what there is to say about it.

    Args:
        content: The parsed file.
        ann_file: Its name.
        keypoints: As of `bad_records`.
        skip: Whether to leave out what is wrong, `skip_bad_samples`; None: nobody can ask for it.

    Returns:
        `content` itself, or a copy without some entries; and lines for the log.

    Raises:
        AnnotationError: It has no lists; an entry cannot be right, and `skip` is not set; or most
            of the file looks wrong.
    """
    if not has_lists(content):
        raise AnnotationError(
            f"annotation file {ann_file} is not in the COCO format: it has no lists 'images' and "
            "'annotations'"
        )
    advice = ", or leave such entries out by skip_bad_samples=True in the config of the data set"
    advice = "" if skip is None else advice
    notes = []
    if bad := list(bad_records(content, keypoints)):
        entries, problems = zip(*bad, strict=True)
        first = first_of(problems)
        if not skip:
            raise AnnotationError(f"annotation file {ann_file}: {first}; correct it{advice}")
        notes.append(f"{plural(len(bad), 'entry')} of {ann_file} left out: {first}")
        content = without(content, entries)
    for doubt in find_doubts(content) if keypoints is not None else []:
        if doubt.mostly:
            raise AnnotationError(f"annotation file {ann_file}: {doubt}; correct it")
        if skip:
            entries = plural(len(doubt.annotations), "entry")
            notes.append(f"{entries} of {ann_file} left out: {doubt}")
            content = without(content, doubt.annotations)
        else:
            notes.append(f"annotation file {ann_file}: {doubt}; look at it{advice}")
    return content, notes


def check_labelled(content: dict, ann_file: str) -> None:
    """Check that a file has a person with a labelled keypoint.

    Args:
        content: The parsed file.
        ann_file: Its name.

    Raises:
        AnnotationError: It has none.
    """
    annotations = [entry for entry in entries_of(content, "annotations") if isinstance(entry, dict)]
    keypoints = [entry["keypoints"] for entry in annotations if "keypoints" in entry]
    if not annotations:
        problem = "has no persons: 'annotations' is empty"
    elif not keypoints:
        problem = "has persons without keypoints; is it the file of boxes, instances_*.json?"
    elif all(isinstance(values, list) and not any(values[2::3]) for values in keypoints):
        problem = "has no labelled keypoint: every visibility is 0"
    else:
        return
    raise AnnotationError(
        f"annotation file {ann_file} {problem}; AP needs one like person_keypoints_*.json of COCO"
    )


def has_lists(content: object) -> TypeGuard[dict]:
    """Whether a file's content has the two lists that make it one of COCO's."""
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations")
    )


def without(content: dict, bad: Sequence[dict | object]) -> dict:
    """Return a copy of a file's content without these entries, and persons of images among them."""
    out = {id(entry) for entry in bad}
    images = [image for image in content["images"] if id(image) not in out]
    known = {image["id"] for image in images}
    annotations = [
        entry
        for entry in content["annotations"]
        if id(entry) not in out and entry["image_id"] in known
    ]
    return {**content, "images": images, "annotations": annotations}


def _image_problem(image: object, sized: bool) -> str | None:
    if not isinstance(image, dict):
        return "is not a dict"
    if problem := _id_problem(image, "id"):
        return problem
    if image.get("file_name") in (None, ""):
        return "has no file_name"
    if not isinstance(image["file_name"], str):
        return f"has the file_name {image['file_name']!r}, not a string"
    sizes = image.get("width"), image.get("height")
    if not sized:
        return None
    if None in sizes:
        return "has no width and height"
    if not all(is_number(size) and size > 0 for size in sizes):
        return f"has a width and height of {sizes[0]!r} and {sizes[1]!r}, not numbers of pixels"
    return None


def _annotation_problem(annotation: object, images: dict, keypoints: int | None) -> str | None:
    if not isinstance(annotation, dict):
        return "is not a dict"
    if problem := _id_problem(annotation, "id") or _id_problem(annotation, "image_id"):
        return problem
    if annotation["image_id"] not in images:
        return f"is of image {annotation['image_id']}, which is not listed"
    if "category_id" not in annotation:
        return "has no category_id"
    for key in ("iscrowd", "num_keypoints"):
        if isinstance(annotation.get(key), str):
            return f"has the {key} {annotation[key]!r}, a string, not a number"
    if keypoints is None or "bbox" not in annotation or "keypoints" not in annotation:
        return None  # the latter MMPose leaves out
    return box_problem(annotation["bbox"]) or keypoints_problem(annotation["keypoints"], keypoints)


def _id_problem(entry: dict, key: str) -> str | None:
    value = entry.get(key)
    if value is None:
        return f"has no {key}"
    if type(value) is not int:
        what = "a string" if isinstance(value, str) else "not a whole number"
        return f"has the {key} {value!r}, {what}: ids are whole numbers, such as 1"
    if abs(value) > LARGEST:
        return f"has the {key} {value}: ids are of 64 bits at most"
    return None
