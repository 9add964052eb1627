"""Reads pictures as MMPose's pipelines do, and says which file is at fault if one cannot be."""

from pathlib import Path

import mmcv
import numpy as np

from dyrelu_pose.datasets.load_image import is_truncated
from dyrelu_pose.errors import UserError


class PictureError(UserError):
    """A file is not a whole picture, or an array is not one."""


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture file.

    Greyscale becomes three equal channels, 16 bits become 8, an EXIF rotation is applied and an
    alpha channel dropped, as OpenCV does when a training reads its images.

    Returns:
        (H, W, 3) bytes, blue first.

    Raises:
        PictureError: The file is missing, truncated, or no picture that OpenCV reads.
    """
    if not Path(path).is_file():
        raise PictureError(f"{path}: no such file")
    if is_truncated(path):
        raise PictureError(f"{path}: truncated; copy it again")
    try:
        picture = mmcv.imread(path)
    except Exception as error:  # OpenCV's own, for sizes that it refuses
        raise PictureError(f"{path}: cannot be decoded ({error})") from error
    if picture is None:
        raise PictureError(f"{path}: not a picture that OpenCV can decode")
    return picture


def check_picture(picture: np.ndarray) -> np.ndarray:
    """Return an array as a picture: (H, W, 3) bytes, blue first; greyscale (H, W) is repeated.

    Raises:
        PictureError: The array has another shape or dtype.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
        raise PictureError(
            f"a picture is an array of bytes, (H, W, 3) or (H, W), not {picture.dtype} "
            f"{picture.shape}"
        )
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] != 3:
        raise PictureError(f"a picture has 3 channels, blue first, not {picture.shape[2]}")
    return picture
