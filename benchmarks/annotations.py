"""Annotation files in COCO's format, of as many persons as wanted, all at random places."""

import json
from pathlib import Path

import cv2
import numpy as np

WIDTH, HEIGHT = 640, 480  # pixels of an image
PICTURES = 4  # files that all images share
POLYGON = 25  # corners of a person's outline
KEYPOINTS = 17


def write_annotations(path: Path, persons: int, images: int, seed: int = 0) -> None:
    """Write an annotation file of persons of 40 to 300 pixels, at least one on each image.

    Args:
        path: JSON file.
        persons: Number of persons, at least that of the images.
        images: Number of images.
        seed: Of the places.
    """
    rng = np.random.default_rng(seed)
    more = rng.integers(images, size=persons - images)
    image_ids = np.sort(np.concatenate([np.arange(images), more])) + 1
    sizes = rng.integers((40, 80), (200, 300), (persons, 2))
    corners = rng.integers(0, (WIDTH, HEIGHT) - sizes)
    keypoints = np.full((persons, KEYPOINTS, 3), 2)
    keypoints[..., :2] = corners[:, None] + rng.integers(0, sizes[:, None], (persons, KEYPOINTS, 2))
    outlines = corners[:, None] + rng.random((persons, POLYGON, 2)) * sizes[:, None]
    annotations = [
        dict(id=number, image_id=image_id, category_id=1, iscrowd=0, bbox=corner + size,
             area=0.5 * size[0] * size[1], num_keypoints=KEYPOINTS, keypoints=points,
             segmentation=[outline])
        for number, (image_id, corner, size, points, outline) in enumerate(
            zip(image_ids.tolist(), corners.tolist(), sizes.tolist(),
                keypoints.reshape(persons, -1).tolist(),
                outlines.round(2).reshape(persons, -1).tolist(), strict=True), start=1)
    ]  # fmt: skip
    content = dict(
        images=[
            dict(id=i, file_name=picture(i % PICTURES), width=WIDTH, height=HEIGHT)
            for i in range(1, images + 1)
        ],
        annotations=annotations,
        categories=[dict(id=1, name="person")],
    )
    path.write_text(json.dumps(content), encoding="utf-8")


def write_pictures(folder: Path, seed: int = 0) -> None:
    """Write the picture files that the images share."""
    rng = np.random.default_rng(seed)
    for number in range(PICTURES):
        coarse = rng.integers(0, 256, (HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / picture(number)), cv2.resize(coarse, (WIDTH, HEIGHT)))


def picture(number: int) -> str:
    """Return the name of a picture file, as long as COCO's are."""
    return f"{number:012d}.jpg"
