"""A data set of one folder of images per class, drawn for the tests."""

import cv2
import numpy as np

CLASSES = ("bars", "disc", "frame", "stripes")
SIDE = 48


def draw(name, rng):
    """A grey picture of one shape in noise; place, size and brightness are random."""
    picture = np.full((SIDE, SIDE), rng.uniform(60, 120))
    shape = np.zeros_like(picture)
    x, y = (int(v) for v in rng.uniform(18, 30, 2))
    size = int(rng.uniform(9, 15))
    if name == "disc":
        cv2.circle(shape, (x, y), size, 1, -1)
    elif name == "frame":
        cv2.rectangle(shape, (x - size, y - size), (x + size, y + size), 1, 2)
    else:
        lines = shape if name == "bars" else shape.T
        lines[:, x % 6 :: 6] = 1
    picture += rng.uniform(60, 120) * shape + rng.normal(0, 12, picture.shape)
    return np.repeat(picture.clip(0, 255).astype(np.uint8)[:, :, None], 3, 2)


def write(root):
    """Write pictures as train/CLASS/*.png and val/CLASS/*.png."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 48), ("val", 16)):
        for name in CLASSES:
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                cv2.imwrite(str(folder / f"{i}.png"), draw(name, rng))
