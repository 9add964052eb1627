"""Finds what cannot be right in a COCO keypoint file."""

import math
from collections.abc import Iterator, Sequence

from dyrelu_pose.errors import AnnotationError

VISIBILITIES = (0, 1, 2)  # not labelled, hidden, visible


def bad_records(content: object, keypoints: int) -> Iterator[tuple[dict | object, str]]:
    """Yield (entry, what is wrong with it) for images and annotations.

    Persons that MMPose leaves out by itself (crowds, without labelled keypoints, with boxes outside
    of the image) are right. What would end in a traceback, or in a target that nobody drew, is not.

    Args:
        content: The parsed file.
        keypoints: Number of keypoints of a person.
    """
    images = {}
    for i, image in enumerate(_entries(content, "images")):
        problem = _image_problem(image)
        if problem is None and image["id"] in images:
            problem = "has the id of another image"
        if problem is None:
            images[image["id"]] = image
        else:
            yield image, f"image {_name(image, i)} {problem}"
    ids = set()
    for i, annotation in enumerate(_entries(content, "annotations")):
        problem = _annotation_problem(annotation, images, keypoints)
        if problem is None and annotation["id"] in ids:
            problem = "has the id of another annotation"
        if problem is None:
            ids.add(annotation["id"])
        else:
            yield annotation, f"annotation {_name(annotation, i)} {problem}"


def check_annotations(dataset: dict, ann_file: str) -> None:
    """Raise AnnotationError unless `dataset` has a person with a labelled keypoint.

    Args:
        dataset: the parsed COCO file.
        ann_file: its name, for the error.
    """
    annotations = dataset.get("annotations", [])
    if not annotations:
        problem = "has no persons: 'annotations' is empty"
    elif not any("keypoints" in annotation for annotation in annotations):
        problem = "has persons without keypoints; is it the file of boxes, instances_*.json?"
    elif not any(any(annotation.get("keypoints", ())[2::3]) for annotation in annotations):
        problem = "has no labelled keypoint: every visibility is 0"
    else:
        return
    raise AnnotationError(
        f"annotation file {ann_file} {problem}; AP needs one like person_keypoints_*.json of COCO"
    )


def has_lists(content: object) -> bool:
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


def _entries(content: object, key: str) -> list:
    return content[key] if isinstance(content, dict) and isinstance(content.get(key), list) else []


def _name(entry: object, index: int) -> str:
    if isinstance(entry, dict) and isinstance(entry.get("id"), int | str):
        return str(entry["id"])
    return f"number {index} of the list"


def _image_problem(image: object) -> str | None:
    if not isinstance(image, dict):
        return "is no dict"
    if not isinstance(image.get("id"), int):
        return "has no id"
    if not isinstance(image.get("file_name"), str):
        return "has no file_name"
    if not all(_is_number(image.get(key)) and image[key] > 0 for key in ("width", "height")):
        return "has no width and height"
    return None


def _annotation_problem(annotation: object, images: dict, keypoints: int) -> str | None:
    if not isinstance(annotation, dict):
        return "is no dict"
    if not isinstance(annotation.get("id"), int):
        return "has no id"
    if not isinstance(annotation.get("image_id"), int) or annotation["image_id"] not in images:
        return f"is of image {annotation.get('image_id')}, which is not listed"
    if "category_id" not in annotation:
        return "has no category_id"
    if "bbox" not in annotation or "keypoints" not in annotation:
        return None  # MMPose leaves it out
    return _box_problem(annotation["bbox"]) or _keypoints_problem(
        annotation["keypoints"], keypoints
    )


def _box_problem(box: object) -> str | None:
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(_is_number, box)):
        return f"has the bbox {box}, not four numbers"
    if box[2] < 0 or box[3] < 0:
        return f"has a bbox of {box[2]} x {box[3]} pixels"
    return None


def _keypoints_problem(values: object, keypoints: int) -> str | None:
    if not isinstance(values, list | tuple) or not all(map(_is_number, values)):
        return "has keypoints that are not all numbers"
    if len(values) != 3 * keypoints:
        return f"has {len(values) / 3:g} keypoints, not {keypoints}"
    if not all(value in VISIBILITIES for value in values[2::3]):
        return "has a visibility other than 0, 1 and 2"
    return None


def _is_number(value: object) -> bool:
    # JSON's numbers, quickly.
    return (type(value) is int or type(value) is float) and math.isfinite(value)
