"""The way back from crops to the images that they were cut from."""

from collections.abc import Iterable

import numpy as np


def to_original(results: Iterable[dict], images: Iterable[dict]) -> list[dict]:
    """Map COCO keypoint results on crops to the images that these were cut from.

    Args:
        results: What the COCO metric writes to PREFIX.keypoints.json, parsed.
        images: The `images` of the crops' annotation file; `origin` says where each comes from:
            original = crop / scale + offset.

    Returns:
        The results with the image ids and coordinates of the original set.

    Example:
        >>> origin = dict(image_id=7, offset=[100.0, 50.0], scale=0.5)
        >>> result = dict(image_id=1, keypoints=[10, 20, 0.9], score=0.9)
        >>> to_original([result], [dict(id=1, origin=origin)])
        [{'image_id': 7, 'keypoints': [120.0, 90.0, 0.9], 'score': 0.9}]
    """
    origins = {image["id"]: image["origin"] for image in images}
    return [_mapped(result, origins[result["image_id"]]) for result in results]


def _mapped(result: dict, origin: dict) -> dict:
    scale, offset = origin["scale"], np.array(origin["offset"])
    keypoints = np.reshape(result["keypoints"], (-1, 3)).astype(float)  # (K, 3): x, y, score
    keypoints[:, :2] = keypoints[:, :2] / scale + offset
    mapped = dict(image_id=origin["image_id"], keypoints=keypoints.ravel().tolist())
    if "bbox" in result:
        x, y, width, height = result["bbox"]
        mapped |= dict(
            bbox=[x / scale + offset[0], y / scale + offset[1], width / scale, height / scale]
        )
    return result | mapped
