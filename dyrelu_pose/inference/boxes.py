"""Person boxes from a file, whoever detected them."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from dyrelu_pose.errors import UserError

PERSON = 1  # COCO's category
FORMATS = (
    "expected are COCO annotations, COCO detections whose image_id is a picture's name or number, "
    'or {"picture.jpg": [[left, top, width, height], ...]}'
)


class Boxes:
    """The person boxes of a JSON file, looked up by the name of a picture.

    Args:
        path: COCO annotations (`images` with `file_name`, `annotations` with `bbox`), a list of
            COCO detections (`image_id`, `bbox`, `score`), or a dict of boxes by file name; boxes
            are left, top, width, height in pixels. A frame of a video goes by its number, from 0.
        threshold: Detections with a lower score are left out.

    Raises:
        UserError: The file is missing or holds no boxes in one of these forms.
    """

    def __init__(self, path: str | Path, threshold: float = 0.3) -> None:
        try:
            content = json.loads(Path(path).read_text())
        except FileNotFoundError:
            raise UserError(f"boxes {path}: no such file") from None
        except ValueError as error:
            raise UserError(f"boxes {path}: not valid JSON ({error})") from error
        try:
            boxes = _by_picture(content, threshold)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"boxes {path}: {error!r}; {FORMATS}") from error
        self._boxes = boxes
        self.path = path

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the boxes of a picture, (P, 4) as left, top, right, bottom; none if not named."""
        return self._boxes.get(_key(name), np.zeros((0, 4), np.float32))

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._boxes


def _key(name: str | int) -> str:
    """File name without folders and extension; COCO's zero-padded numbers without their zeros."""
    stem = Path(str(name)).stem
    return str(int(stem)) if stem.isdecimal() else stem


def _by_picture(content: dict | list, threshold: float) -> dict[str, np.ndarray]:
    if isinstance(content, list):
        pairs = [
            (entry["image_id"], entry["bbox"])
            for entry in content
            if entry.get("category_id", PERSON) == PERSON and entry.get("score", 1) >= threshold
        ]
    elif "annotations" in content:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        pairs = [
            (names[entry["image_id"]], entry["bbox"])
            for entry in content["annotations"]
            if entry.get("category_id", PERSON) == PERSON
        ]
    else:
        pairs = [(name, box) for name, boxes in content.items() for box in boxes]
    found = defaultdict(list)
    for name, (left, top, width, height) in pairs:
        if not (width > 0 and height > 0):
            raise ValueError(f"a box of {name} is {width} x {height} pixels")
        found[_key(name)].append((left, top, left + width, top + height))
    return {key: np.array(boxes, np.float32) for key, boxes in found.items()}
