"""Which persons of a COCO keypoint file MMPose trains on."""

import numpy as np


def clipped_box(annotation: dict, image: dict) -> np.ndarray:
    """Return (4,) left, top, right, bottom of a person's box as `CocoDataset` clips it, pixels."""
    x, y, width, height = annotation["bbox"]
    limits = (image["width"] - 1, image["height"] - 1) * 2
    corners = (x, y, x + width, y + height)
    return np.array([min(max(v, 0), last) for v, last in zip(corners, limits, strict=True)])


def reason_to_skip(annotation: dict, image: dict) -> str | None:
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
