"""Which persons of a COCO keypoint file MMPose trains on, in the order in which it does."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyrelu_pose.datasets.bad_entries import check_annotations
from dyrelu_pose.errors import AnnotationError


@dataclass(frozen=True)
class Persons:
    """The persons of an annotation file.

    Args:
        content: The parsed file.
        by_image: Pairs of an image's entry and the annotations of its persons, in MMPose's order.
        skipped: Number of annotations left out, by reason.
    """

    content: dict
    by_image: list[tuple[dict, list[dict]]]
    skipped: Counter


def read_persons(path: Path) -> Persons:
    """Read an annotation file, leaving out what MMPose's `CocoDataset` leaves out.

    Raises:
        AnnotationError: It is no COCO keypoint file, holds nobody to crop, or an id twice.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise AnnotationError(f"annotation file {path} is not valid JSON: {error}") from error
    check_annotations(content, str(path))
    try:
        by_image, skipped = _group(content)
    except (KeyError, TypeError) as error:
        raise AnnotationError(
            f"annotation file {path} is not in the COCO format: {error!r} in an entry"
        ) from error
    ids = [annotation["id"] for _, annotations in by_image for annotation in annotations]
    if not ids:
        raise AnnotationError(f"annotation file {path} has nobody to crop: {dict(skipped)}")
    if len(set(ids)) < len(ids):
        raise AnnotationError(
            f"annotation file {path} has an annotation id twice: number them anew"
        )
    return Persons(content, by_image, skipped)


def _group(content: dict) -> tuple[list[tuple[dict, list[dict]]], Counter]:
    images = {image["id"]: image for image in content["images"]}
    skipped, groups = Counter(), defaultdict(list)
    for annotation in content["annotations"]:
        image = images.get(annotation["image_id"])
        reason = "of an unlisted image" if image is None else _reason_to_skip(annotation, image)
        if reason:
            skipped[reason] += 1
        else:
            groups[annotation["image_id"]].append(annotation)
    return [(image, groups[id]) for id, image in images.items() if id in groups], skipped


def clipped_box(annotation: dict, image: dict) -> np.ndarray:
    """Return (4,) left, top, right, bottom of a person's box as `CocoDataset` clips it, pixels."""
    x, y, width, height = annotation["bbox"]
    limits = (image["width"] - 1, image["height"] - 1)
    return np.clip((x, y, x + width, y + height), 0, limits * 2)


def _reason_to_skip(annotation: dict, image: dict) -> str | None:
    """Return why an annotation is nobody to train on, or None."""
    if annotation.get("iscrowd"):
        return "crowds"
    visibility = annotation.get("keypoints", ())[2::3]
    if annotation.get("num_keypoints") == 0 or not any(visibility):
        return "without keypoints"
    if "bbox" not in annotation:
        return "without a box"
    left, top, right, bottom = clipped_box(annotation, image)
    return None if right > left and bottom > top else "without a box"
