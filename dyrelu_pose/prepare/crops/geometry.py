"""The geometry of one crop: a rectangle cut out of an image and made smaller."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np


@dataclass(frozen=True)
class Crop:
    """A rectangle of whole pixels of an image, scaled down by one factor along x and y.

    Coordinates are MMPose's: the centre of the first pixel is (0, 0). The mapping

        crop = (original - offset) * scale        original = crop / scale + offset

    is the same for pixels, keypoints and boxes, so that whatever a pipeline computes from a box
    reads the same part of the person.

    A scaled crop has one repeated pixel around it. MMPose clips boxes to the centres of the outer
    pixels, and those of a scaled image lie further inside the picture: without the extra pixel, a
    box that ends at the border of the image would be clipped a second time.

    Args:
        left, top: First pixel of the rectangle.
        width, height: Number of its pixels.
        scale: Factor of its size, at most 1.
    """

    left: int
    top: int
    width: int
    height: int
    scale: float

    @property
    def border(self) -> int:
        """Number of repeated pixels on each side."""
        return int(self.scale < 1)

    @property
    def offset(self) -> np.ndarray:
        """(2,) x and y of the crop's (0, 0) in the original image, pixels."""
        # cv2.resize lets outer edges of pixels coincide: crop + 0.5 = (original + 0.5) * scale
        return np.array((self.left, self.top)) - 0.5 + (0.5 - self.border) / self.scale

    def points(self, original: np.ndarray) -> np.ndarray:
        """Map (..., 2) coordinates in the original image to the crop."""
        return (original - self.offset) * self.scale

    def cut(self, image: np.ndarray) -> np.ndarray:
        """Return the crop of an image, (H, W, 3) to (h, w, 3)."""
        part = image[self.top : self.top + self.height, self.left : self.left + self.width]
        if self.scale == 1:
            return part
        # Given the factor rather than the size, OpenCV scales by it exactly, along x as along y.
        part = cv2.resize(part, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA)
        sides = [self.border] * 4
        return cv2.copyMakeBorder(part, *sides, borderType=cv2.BORDER_REPLICATE)


def crop_of(region: np.ndarray, scale: float, image_size: Sequence[int]) -> Crop:
    """Return the crop from which a region can be read as if from the image itself.

    Outside of the image there is nothing to store: MMPose pads with zeros there, as it will outside
    of the crop.

    Args:
        region: (4,) left, top, right, bottom in pixels; part of it may lie outside of the image.
        scale: Factor of the size, at most 1.
        image_size: Width and height of the image, pixels.
    """
    # Linear interpolation reads up to one pixel of the crop beyond the region.
    margin = 1 / scale + 1
    size = np.asarray(image_size)
    left, top = np.clip([floor(x - margin) for x in region[:2]], 0, size).tolist()
    right, bottom = np.clip([ceil(x + margin) + 1 for x in region[2:]], 0, size).tolist()
    return Crop(left, top, right - left, bottom - top, scale)
