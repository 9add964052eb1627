"""How many of the labelled people a detector finds."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from dyrelu_pose.datasets.load_image import read_image

from .detector import PersonDetector


def recall(detector: PersonDetector, images: Path, ann_file: Path, number: int) -> tuple[int, int]:
    """Return how many people are found at IoU 0.5, and how many are labelled.

    Args:
        detector: What finds them.
        images: Folder of the pictures.
        ann_file: COCO annotations of people alone.
        number: How many of its pictures are looked at, the first ones.
    """
    content = json.loads(ann_file.read_bytes())
    people = defaultdict(list)
    for person in content["annotations"]:
        left, top, width, height = person["bbox"]
        people[person["image_id"]].append((left, top, left + width, top + height))
    found = labelled = 0
    for image in content["images"][:number]:
        truths = np.array(people[image["id"]]).reshape(-1, 4)
        found += matches(detector(read_image(images / image["file_name"])), truths)
        labelled += len(truths)
    return found, labelled


def matches(found: np.ndarray, truths: np.ndarray, iou: float = 0.5) -> int:
    """Return how many labelled people have a box of their own.

    Args:
        found: (P, 4) or more columns: left, top, right, bottom of boxes, the highest score first.
        truths: (T, 4) the same of the people. A box is given to the person that it overlaps most,
            of those who have none yet.
        iou: Least intersection over union.
    """
    overlaps = _overlaps(found[:, :4].astype(float), truths.astype(float))
    taken = 0
    for row in range(len(found) if len(truths) else 0):
        best = overlaps[row].argmax()
        if overlaps[row, best] >= iou:
            overlaps[:, best] = -1
            taken += 1
    return taken


def _overlaps(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersections over unions (S, O)."""
    low = np.maximum(some[:, None, :2], others[:, :2])
    high = np.minimum(some[:, None, 2:], others[:, 2:])
    shared = (high - low).clip(0).prod(axis=2)
    areas, other_areas = ((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (some, others))
    return shared / (areas[:, None] + other_areas - shared)
