"""Pictures fitted into the input of a detector, boxes taken back, and the cells of its grids."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Fit:
    """How a picture lies in an input; both have the same top left corner.

    Attributes:
        scale: (x, y), input pixels per pixel of the picture.
    """

    scale: tuple[float, float]

    def back(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes (P, 4), left, top, right, bottom in the input, as boxes in the picture."""
        return boxes / np.tile(self.scale, 2)


def letterbox(picture: np.ndarray, size: tuple[int, int], fill: int) -> tuple[np.ndarray, Fit]:
    """Return a picture scaled to fit into an input, its aspect ratio kept, at the top left.

    Args:
        picture: (H, W, 3) bytes.
        size: Width and height of the input.
        fill: Value of the rest.

    Returns:
        The input, (height, width, 3) bytes, and how the picture lies in it.
    """
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    width, height = (max(int(scale * length), 1) for length in picture.shape[1::-1])
    canvas = np.full((size[1], size[0], 3), fill, np.uint8)
    canvas[:height, :width] = cv2.resize(picture, (width, height))
    return canvas, Fit((scale, scale))


def stretch(picture: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, Fit]:
    """Return a picture resized to an input, (height, width, 3) bytes, and how it lies in it."""
    height, width = picture.shape[:2]
    return cv2.resize(picture, size), Fit((size[0] / width, size[1] / height))


def blob(pixels: np.ndarray) -> np.ndarray:
    """Return pixels (H, W, 3) as a network's input (1, 3, H, W), float32."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)


def level(size: tuple[int, int], stride: int) -> np.ndarray:
    """Return the cells of one grid over an input, (cells, 3): column, row, stride."""
    columns, rows = (-(-length // stride) for length in size)
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    return np.column_stack((grid, np.full(len(grid), stride))).astype(np.float32)


def cells(size: tuple[int, int], strides: Sequence[int]) -> np.ndarray:
    """Return the cells of all grids, stride by stride, as `level` does."""
    return np.concatenate([level(size, stride) for stride in strides])
