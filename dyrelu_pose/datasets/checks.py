"""Checks that persons, detections and the files of both have in common."""

import math
import reprlib
from typing import TypeGuard

VISIBILITIES = (0, 1, 2)  # not labelled, hidden, visible


def entries_of(content: object, key: str) -> list:
    """Return a list of a COCO file, such as its `images`; [] if it has none."""
    return content[key] if isinstance(content, dict) and isinstance(content.get(key), list) else []


def name_of(entry: object, index: int) -> str:
    """Return what to call an entry of a list: its id, or its place."""
    if isinstance(entry, dict) and isinstance(entry.get("id"), int | str):
        return str(entry["id"])
    return f"number {index} of the list"


def box_problem(box: object) -> str | None:
    """Return why a box is not left, top, width and height, or None if it is."""
    if not isinstance(box, list | tuple) or len(box) != 4 or not all(map(is_number, box)):
        return f"has the bbox {reprlib.repr(box)}, not four numbers"
    if box[2] < 0 or box[3] < 0:
        return f"has a bbox of {box[2]} x {box[3]} pixels"
    return None


def keypoints_problem(values: object, keypoints: int) -> str | None:
    """Return why a value is not x, y and visibility of each keypoint, or None if it is."""
    if not isinstance(values, list | tuple) or not all(map(is_number, values)):
        return f"has keypoints that are not all numbers: {reprlib.repr(values)}"
    if len(values) != 3 * keypoints:
        return f"has {len(values) / 3:g} keypoints, not {keypoints}"
    for value in values[2::3]:
        if value not in VISIBILITIES:
            return f"has a visibility other than 0, 1 and 2: {value}"
    return None


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is one of the numbers that JSON has, and finite."""
    return (type(value) is int or type(value) is float) and math.isfinite(value)
