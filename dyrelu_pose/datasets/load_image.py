"""Image loading that refuses damaged files by name."""

import logging
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmpose.datasets.transforms import LoadImage as MMPoseLoadImage
from mmpose.registry import TRANSFORMS
from PIL import Image

from dyrelu_pose.errors import UserError

# First and last bytes of whole files.
SIGNATURES = {b"\xff\xd8": b"\xff\xd9", b"\x89PNG": b"IEND\xaeB`\x82"}
TAIL = 4096  # bytes; some cameras append data of their own


class ImageError(UserError):
    """An image file cannot be read, or only a part of it."""


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

    def _load(self, results: dict) -> dict:
        from_file = "img" not in results
        try:
            results = super().transform(results)
        except Exception as error:
            path = results.get("img_path")
            reason = "does not exist" if path and not Path(path).exists() else "cannot be decoded"
            raise ImageError(_advice(f"image {path} {reason}")) from error
        path = results["img_path"]
        if from_file and Path(path).is_file() and is_truncated(path):
            raise ImageError(_advice(f"image {path} is truncated"))
        return results


def _advice(problem: str) -> str:
    return f"{problem}; copy it again, or remove it from the annotation file"


def is_truncated(path: str) -> bool:
    """Look at the end of the file and, if that is unusual, decode it strictly."""
    with open(path, "rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    if all(not head.startswith(start) or end in tail for start, end in SIGNATURES.items()):
        return False
    try:
        Image.open(path).load()
    except OSError:
        return True
    return False
