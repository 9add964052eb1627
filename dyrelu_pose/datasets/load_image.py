"""Image loading that refuses damaged files by name."""

import logging
from pathlib import Path
from typing import cast

import numpy as np
import torch
from mmengine.logging import print_log
from mmpose.datasets.transforms import LoadImage as MMPoseLoadImage
from mmpose.registry import TRANSFORMS
from PIL import Image

from dyrelu_pose.errors import UserError

# First and last bytes of whole files.
SIGNATURES = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND\xaeB`\x82"}
TAIL = 4096  # bytes; some cameras append data of their own
ADVICE = "copy it again, or leave it out"


class ImageError(UserError):
    """An image or a video cannot be read, or only a part of it; or an array is no image."""


@TRANSFORMS.register_module(force=True)
class LoadImage(MMPoseLoadImage):
    """MMPose's `LoadImage`, except that a damaged file is an error that names it.

    OpenCV fills the missing part of a truncated JPEG with grey and says nothing. It takes MMPose's
    name in the registry, so that every config has it.

    Args:
        skip_bad_samples: Instead of raising, log the file and how many there were so far, and
            return None: in training the data set then takes another sample at random.
        *args: As `mmpose.datasets.transforms.LoadImage`.
        **kwargs: As well.

    Raises:
        ImageError: The file is missing, not an image, or truncated.
    """

    def __init__(self, *args, skip_bad_samples: bool = False, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.skip_bad_samples = skip_bad_samples
        self.skipped = torch.zeros((), dtype=torch.int64).share_memory_()  # by all workers

    def transform(self, results: dict) -> dict | None:
        """Load `results['img_path']`, unless `results['img']` is there already."""
        try:
            return self._load(results)
        except ImageError as error:
            if not self.skip_bad_samples:
                raise
            self.skipped += 1
            print_log(f"{error}; skipped, {self.skipped} so far", "current", logging.WARNING)
            return None

    def _load(self, results: dict) -> dict | None:
        path = None if "img" in results else results.get("img_path")
        try:
            loaded = super().transform(results)
        except Exception as error:
            problem = "is truncated" if is_truncated(path) else "cannot be decoded"
            if path is not None and not Path(path).exists():
                problem = "does not exist"
            raise ImageError(f"image {path} {problem}; {ADVICE}") from error
        if is_truncated(path):
            raise ImageError(f"image {path} is truncated; {ADVICE}")
        return loaded


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file as a training does.

    Greyscale becomes three equal channels, 16 bits become 8, an EXIF rotation is applied and an
    alpha channel dropped.

    Returns:
        (H, W, 3) bytes, blue first.

    Raises:
        ImageError: The file is missing, not an image, or truncated.
    """
    return cast(dict, LoadImage()(dict(img_path=str(path))))["img"]


def is_truncated(path: str | None) -> bool:
    """Look at the end of a local file and, if that is unusual, decode it strictly."""
    if path is None or not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    if all(not head.startswith(start) or end in tail for start, end in SIGNATURES.items()):
        return False
    try:
        Image.open(path).load()
    except (OSError, SyntaxError):  # the latter of PNG
        return True
    return False
