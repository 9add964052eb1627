"""YOLOX: one output (1, cells, 85) of boxes, objectness and the 80 classes of COCO.

Ge et al., *YOLOX: Exceeding YOLO Series in 2021*, arXiv 2107.08430. Pictures go in and boxes come
out as in `preproc` and `YOLOXHead.decode_outputs` of Megvii-BaseDetection/YOLOX.
"""

import numpy as np

from .geometry import Fit, blob, cells, letterbox

STRIDES = (8, 16, 32)
VALUES = 85  # x, y, width, height, objectness, 80 classes
FILL = 114


class YOLOX:
    """The convention of YOLOX, for files that follow it; `of` finds out which do.

    Args:
        size: Width and height of the input, in pixels.
        decoded: Whether the file itself decodes its boxes into pixels.
    """

    def __init__(self, size: tuple[int, int], decoded: bool) -> None:
        self.size, self.decoded = size, decoded
        self.cells = cells(size, STRIDES)

    @classmethod
    def of(cls, size: tuple[int, int], outputs: list[np.ndarray]) -> "YOLOX | None":
        """Return the convention of a file, or None if it follows another.

        An export with `decode_in_inference` has boxes in pixels: their centres then follow the
        cells, whatever is in the picture, and otherwise they are small numbers in each cell.

        Args:
            size: Width and height of the input.
            outputs: What the file returns for any picture.
        """
        grid = cells(size, STRIDES)
        if [output.shape for output in outputs] != [(1, len(grid), VALUES)]:
            return None
        places, found = grid[:, :2], outputs[0][0, :, :2]
        if_decoded = np.abs(found / grid[:, 2:] - places)
        return cls(size, bool(np.median(if_decoded) < np.median(np.abs(found))))

    def prepare(self, picture: np.ndarray) -> tuple[np.ndarray, Fit]:
        """Return the input of a picture, (H, W, 3) bytes in BGR, and where that is in it."""
        pixels, fit = letterbox(picture, self.size, FILL)
        return blob(pixels), fit

    def people(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes (cells, 4), left, top, right, bottom of the input, and scores (cells,)."""
        found = outputs[0][0].astype(np.float32)
        centers, sizes = found[:, :2], found[:, 2:4]
        if not self.decoded:
            places, strides = self.cells[:, :2], self.cells[:, 2:]
            centers = (centers + places) * strides
            sizes = np.exp(sizes) * strides
        boxes = np.concatenate((centers - sizes / 2, centers + sizes / 2), axis=1)
        return boxes, found[:, 4] * found[:, 5]
