"""Reads the boxes of a detector for top-down evaluation, and names what cannot be right in them."""

from collections.abc import Iterator
from os.path import join

import numpy as np
from mmengine.logging import print_log
from mmpose.structures.bbox import bbox_xywh2xyxy

from dyrelu_pose.errors import AnnotationError, article, first_of, plural

from .bad_entries import read_annotations
from .checks import box_problem, is_number
from .doubts import misread_boxes

SIZE = "width", "height"
PERSON = 1  # COCO's category


def read_detections(
    bbox_file: str, truths: dict, ann_file: str, skip_bad_samples: bool = False
) -> list[dict]:
    """Return the detections of a file that are of the categories whose keypoints are annotated.

    Args:
        bbox_file: JSON, a list of `dict(image_id=..., category_id=..., bbox=[x, y, w, h],
            score=...)`, as COCO's results of detection.
        truths: Content of the annotation file.
        ann_file: Its name, for the errors.
        skip_bad_samples: Leave out what cannot be right, with a count in the log.

    Raises:
        AnnotationError: The file is not such a list, has an entry that cannot be right, or none of
            these categories; or most boxes look like something else.
    """
    found = read_annotations(bbox_file, "bbox file")
    if not isinstance(found, list) or not found:
        problem = "is empty" if isinstance(found, list) else f"is {article(type(found).__name__)}"
        raise AnnotationError(
            f"bbox file {bbox_file} {problem}: it has to be a list of "
            "dict(image_id, category_id, bbox, score)"
        )
    images = {image["id"] for image in truths["images"]}
    if bad := dict(_bad_detections(found, images, ann_file)):
        text = f"bbox file {bbox_file}: {first_of([*bad.values()])}"
        if not skip_bad_samples:
            raise AnnotationError(text)
        print_log(f"{plural(len(bad), 'entry')} left out: {text}", logger="current")
        found = [entry for index, entry in enumerate(found) if index not in bad]
    categories = keypoint_categories(truths)
    kept = [entry for entry in found if entry["category_id"] in categories]
    if not kept:
        others = sorted({str(entry["category_id"]) for entry in found})
        raise AnnotationError(
            f"bbox file {bbox_file} has boxes of category {', '.join(others[:5])} only, and "
            f"annotation file {ann_file} keypoints of {', '.join(map(str, sorted(categories)))}: "
            "give both the same category_id"
        )
    _check_units(kept, truths, bbox_file)
    return kept


def persons_of(found: list[dict], truths: dict, folder: str, keypoints: int) -> Iterator[dict]:
    """Yield what a data set has of a person, its keypoints unknown, for each detection.

    Args:
        found: The detections.
        truths: Content of the annotation file.
        folder: Where its pictures are.
        keypoints: Number of keypoints of a person.
    """
    images = {image["id"]: image for image in truths["images"]}
    for number, detection in enumerate(found):
        image = images[detection["image_id"]]
        box = np.array([detection["bbox"][:4]], np.float32)
        yield dict(
            id=number,
            img_id=image["id"],
            img_path=join(folder, image["file_name"]),
            img_shape=(image["height"], image["width"]),
            category_id=np.array(detection["category_id"]),
            bbox=bbox_xywh2xyxy(box),
            bbox_score=np.array([detection["score"]], np.float32),
            keypoints=np.zeros((1, keypoints, 2), np.float32),
            keypoints_visible=np.ones((1, keypoints), np.float32),
        )


def keypoint_categories(truths: dict) -> set:
    """Return the ids of the categories that have keypoints in an annotation file.

    For a file without annotations: COCO's person, or all that the file lists, if that is not one.
    """
    annotated = {a["category_id"] for a in truths.get("annotations") or () if "keypoints" in a}
    listed = {category["id"] for category in truths.get("categories") or ()} or {PERSON}
    return annotated or (listed & {PERSON} or listed)


def _check_units(found: list[dict], truths: dict, bbox_file: str) -> None:
    """Check that boxes are not from 0 to 1, nor corners, where the sizes of pictures are known."""
    sizes = {i["id"]: (i["width"], i["height"]) for i in truths["images"] if {*SIZE} <= i.keys()}
    sized = [entry for entry in found if entry["image_id"] in sizes]
    if not sized:
        return
    boxes = np.array([entry["bbox"][:4] for entry in sized], float)
    misread = misread_boxes(boxes, np.array([sizes[e["image_id"]] for e in sized], float))
    if misread:
        first, problem = misread
        raise AnnotationError(
            f"bbox file {bbox_file}: a person of image {sized[first]['image_id']} {problem}; "
            "correct it"
        )


def _bad_detections(found: list, images: set, ann_file: str) -> Iterator[tuple[int, str]]:
    """Yield (index, what is wrong with it) for entries of a bbox file."""
    for index, entry in enumerate(found):
        if problem := _problem(entry, images, ann_file):
            yield index, f"entry {index} {problem}"


def _problem(entry: object, images: set, ann_file: str) -> str | None:
    if not isinstance(entry, dict):
        return f"is {entry!r}, not a dict"
    if missing := [key for key in ("image_id", "category_id", "bbox", "score") if key not in entry]:
        return f"has no {missing[0]}"
    image = entry["image_id"]
    if isinstance(image, list | dict) or image not in images:
        return f"is of image {image!r}, which is not listed in {ann_file}"
    if not is_number(entry["category_id"]):
        return f"has the category_id {entry['category_id']!r}, not a number"
    box = entry["bbox"]
    if problem := box_problem(box[:4] if isinstance(box, list) else box):  # a score may follow
        return problem
    if box[2] == 0 or box[3] == 0:
        return f"has a bbox of {box[2]} x {box[3]} pixels"
    if not is_number(entry["score"]):
        return f"has the score {entry['score']!r}, not a number"
    return None
