"""What tools/detect.py reads and writes: pictures with their ids, and MMPose's `bbox_file`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dyrelu_pose.datasets.bad_entries import bad_records, read_annotations
from dyrelu_pose.datasets.detections import PERSON, keypoint_categories
from dyrelu_pose.datasets.pictures import missing_pictures
from dyrelu_pose.errors import AnnotationError, UserError

from .files import find_pictures

Numbered = list[tuple[int | str, Path]]  # (image_id, file) of pictures


def annotated_pictures(ann_file: Path, folder: Path) -> tuple[Numbered, int]:
    """Return the pictures of an annotation file, with their ids, and its category of persons.

    Args:
        ann_file: COCO keypoints.
        folder: What the names of its pictures are in.

    Raises:
        AnnotationError: The file cannot be read, has a bad entry, or is not of one category.
        UserError: Pictures are not there.
    """
    content: Any = read_annotations(ann_file)
    for _, problem in bad_records(content, None):
        raise AnnotationError(f"annotation file {ann_file}: {problem}; correct it")
    try:
        pictures: Numbered = [(i["id"], folder / i["file_name"]) for i in content["images"]]
        categories = keypoint_categories(content)
    except (KeyError, TypeError) as error:
        raise AnnotationError(
            f"annotation file {ann_file} is not in the COCO format: {error!r}"
        ) from error
    if len(categories) > 1:
        listed = ", ".join(map(str, sorted(categories)))
        raise AnnotationError(
            f"annotation file {ann_file} has keypoints of the categories {listed}: boxes of people "
            "can be of one only"
        )
    if missing := missing_pictures(content["images"], folder, ann_file):
        raise UserError(str(missing))
    return pictures, categories.pop()


def named_pictures(paths: Sequence[Path]) -> tuple[Numbered, int]:
    """Return the pictures among files and folders, and COCO's category of persons.

    An id is the number that a picture is called by, if all are called by numbers, else its name.

    Raises:
        UserError: A path does not exist, a folder holds no picture, or two have one id.
    """
    found = find_pictures(paths)
    by_number = all(path.stem.isdecimal() for path in found)
    pictures: Numbered = [(int(path.stem) if by_number else path.name, path) for path in found]
    owners: dict[int | str, Path] = {}
    for image, path in pictures:
        if image in owners:
            raise UserError(f"{owners[image]} and {path} would both be image {image}")
        owners[image] = path
    return pictures, PERSON


def coco_detections(image: int | str, category: int, people: np.ndarray) -> list[dict]:
    """Return the boxes of a picture in COCO's format of detections.

    Args:
        image: Its id.
        category: That of persons.
        people: (P, 5) left, top, right, bottom and score, as `PersonDetector` returns them.

    Returns:
        Dicts of `image_id`, `category_id`, `bbox` as left, top, width, height, and `score`.
    """
    return [
        dict(
            image_id=image,
            category_id=category,
            bbox=[round(v, 2) for v in (left, top, right - left, bottom - top)],
            score=round(score, 4),
        )
        for left, top, right, bottom, score in people.tolist()
    ]
