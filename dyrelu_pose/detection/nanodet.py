"""NanoDet and NanoDet-Plus: scores of COCO's 80 classes, and four distances as distributions.

RangiLyu/nanodet on GitHub. NanoDet (`gfl_head.py`, strides 8, 16, 32) measures distances from the
middle of a cell and keeps the proportions of a picture; NanoDet-Plus (`nanodet_plus_head.py`, 64
as well) measures them from its corner and stretches the picture. Old exports have an output of
scores and one of distances per stride, newer ones join all.
"""

import numpy as np
from scipy.special import softmax

from .geometry import Fit, blob, cells, letterbox, level, stretch

NANODET, PLUS = (8, 16, 32), (8, 16, 32, 64)
CLASSES = 80
# The picture is at the top left of the input. In nanodet it is in the middle, which finds fewer: of
# 981 persons of COCO-mini 0.798 at the top left and 0.791 in the middle, at score 0.35, IoU 0.5.
FILL = 0
# Of blue, green, red.
MEAN = np.array((103.53, 116.28, 123.675), np.float32)
STD = np.array((57.375, 57.12, 58.395), np.float32)


class NanoDet:
    """The convention of NanoDet, for files that follow it; `of` finds out which do.

    Args:
        size: Width and height of the input, in pixels.
        strides: NANODET or PLUS.
        order: Which outputs, per stride, are scores and distances; None if there is one of both.
    """

    def __init__(
        self,
        size: tuple[int, int],
        strides: tuple[int, ...],
        order: list[tuple[int, int]] | None = None,
    ) -> None:
        self.size, self.order = size, order
        self.plus = strides == PLUS
        self.cells = cells(size, strides)

    @classmethod
    def of(cls, size: tuple[int, int], outputs: list[np.ndarray]) -> "NanoDet | None":
        """Return the convention of a file, or None if it follows another.

        Args:
            size: Width and height of the input.
            outputs: What the file returns for any picture.
        """
        shapes = [output.shape for output in outputs]
        if any(len(shape) != 3 or shape[0] != 1 for shape in shapes):
            return None
        for strides in (NANODET, PLUS):
            lengths = [len(level(size, stride)) for stride in strides]
            if len(shapes) == 1 and shapes[0][1] == sum(lengths):
                if _is_distribution(shapes[0][2] - CLASSES):
                    return cls(size, strides)
            elif len(shapes) == 2 * len(strides):
                scores = [_find(shapes, n, lambda width: width == CLASSES) for n in lengths]
                distances = [_find(shapes, n, _is_distribution) for n in lengths]
                order = list(zip(scores, distances, strict=True))
                if sorted(i for pair in order for i in pair) == list(range(len(shapes))):
                    return cls(size, strides, order)
        return None

    def prepare(self, picture: np.ndarray) -> tuple[np.ndarray, Fit]:
        """Return the input of a picture, (H, W, 3) bytes in BGR, and where that is in it."""
        if self.plus:
            pixels, fit = stretch(picture, self.size)
        else:
            pixels, fit = letterbox(picture, self.size, FILL)
        return blob((pixels - MEAN) / STD), fit

    def people(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes (cells, 4), left, top, right, bottom of the input, and scores (cells,)."""
        if self.order is None:
            scores, distributions = np.split(outputs[0][0], [CLASSES], axis=1)
        else:
            scores = np.concatenate([outputs[i][0] for i, _ in self.order])
            distributions = np.concatenate([outputs[i][0] for _, i in self.order])
        shares = softmax(distributions.reshape(len(distributions), 4, -1), axis=2)
        strides = self.cells[:, 2:]
        distances = shares @ np.arange(shares.shape[2]) * strides  # (cells, 4)
        points = (self.cells[:, :2] + (0 if self.plus else 0.5)) * strides
        boxes = np.concatenate((points - distances[:, :2], points + distances[:, 2:]), axis=1)
        return boxes, scores[:, 0]


def _find(shapes: list[tuple[int, ...]], length: int, fits) -> int:
    """Return which output is the one with a length and a fitting width, or -1."""
    found = [i for i, shape in enumerate(shapes) if shape[1] == length and fits(shape[2])]
    return found[0] if len(found) == 1 else -1


def _is_distribution(width: int) -> bool:
    """Whether it can be that of four distributions over 0, ..., reg_max; 80 would be scores."""
    return width >= 8 and width % 4 == 0 and width != CLASSES
