"""Image loading that refuses damaged files by name."""

import logging
from collections.abc import Sequence
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
ORIENTATION = 0x0112  # tag of EXIF
QUARTER_TURNS = (5, 6, 7, 8)  # its values that swap width and height
# MMCV's decoders and flags that apply it.
TURNING = [(decoder, flag) for decoder in ("cv2", "pillow") for flag in ("color", "grayscale")]
ADVICE = "copy it again, or leave it out"


class ImageError(UserError):
    """An image or a video cannot be read, or only a part of it; or an array is not an image."""


@TRANSFORMS.register_module(force=True)
class LoadImage(MMPoseLoadImage):
    """MMPose's `LoadImage`, except that a damaged file is an error that names it.

    OpenCV fills the missing part of a truncated JPEG with grey and says nothing; in a picture of
    another size points would be somewhere else. It takes MMPose's name in the registry, so that
    every config has it.

    Where `results['skip_bad_samples']` is set, it logs the file and how many there were so far
    instead, and returns None: in training the data set then takes another sample at random.

    Args:
        *args: As `mmpose.datasets.transforms.LoadImage`.
        **kwargs: As well.

    Raises:
        ImageError: The file is missing, not an image, truncated, or of another size than the
            annotations say, `results['img_shape']`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.skipped = torch.zeros((), dtype=torch.int64).share_memory_()  # by all workers

    def transform(self, results: dict) -> dict | None:
        """Load `results['img_path']`, unless `results['img']` is there already."""
        try:
            return self._load(results)
        except ImageError as error:
            if not results.get("skip_bad_samples"):
                raise
            self.skipped += 1
            print_log(f"{error}; skipped, {self.skipped} so far", "current", logging.WARNING)
            return None

    def _load(self, results: dict) -> dict | None:
        path = None if "img" in results else results.get("img_path")
        expected = results.get("img_shape")
        try:
            loaded = super().transform(results)
        except Exception as error:
            problem = "is truncated" if is_truncated(path) else "cannot be decoded"
            if path is not None and not Path(path).exists():
                problem = "does not exist"
            raise ImageError(f"image {path} {problem}; {ADVICE}") from error
        if is_truncated(path):
            raise ImageError(f"image {path} is truncated; {ADVICE}")
        if path and loaded and expected and tuple(loaded["img_shape"]) != tuple(expected[:2]):
            raise ImageError(other_size(path, loaded["img_shape"], expected))
        return loaded

    def shape_in_header(self, path: str | Path) -> tuple[int, int] | None:
        """Return height and width of the picture in a file as loading it would, without decoding.

        Returns:
            None: Pillow cannot tell.
        """
        try:
            with Image.open(path) as image:
                width, height = image.size
                turned = image.getexif().get(ORIENTATION, 1) in QUARTER_TURNS
        except Exception:  # of damage of any kind, which loading names
            return None
        if turned and (self.imdecode_backend, self.color_type) in TURNING:
            return width, height
        return height, width


def other_size(path: str | Path, found: Sequence[int], expected: Sequence[int]) -> str:
    """Return what to say of a picture whose height and width are not those of its annotations."""
    turned = " (turned, perhaps by its EXIF tag)" if tuple(found) == (*expected[1::-1],) else ""
    return (
        f"image {path} has {found[1]}x{found[0]} pixels{turned} and the annotation file says "
        f"{expected[1]}x{expected[0]}: they do not belong together"
    )


def loading_step(pipeline: Sequence[dict]) -> LoadImage:
    """Return the step of a pipeline that loads pictures, or what it is by default."""
    for step in pipeline:
        kind = step.get("type")
        kind = TRANSFORMS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, MMPoseLoadImage):
            return LoadImage(**{key: step[key] for key in step if key != "type"})
    return LoadImage()


def read_image(
    path: str | Path, shape: tuple[int, int] | None = None, color_type: str = "color"
) -> np.ndarray:
    """Read an image file as a training does.

    Greyscale becomes three equal channels, 16 bits become 8, an EXIF rotation is applied and an
    alpha channel dropped.

    Args:
        path: The file.
        shape: Height and width that it has to have.
        color_type: As of `LoadImage`.

    Returns:
        (H, W, 3) bytes, blue first.

    Raises:
        ImageError: The file is missing, not an image, truncated, or of another shape.
    """
    load = LoadImage(color_type=color_type)
    return cast(dict, load(dict(img_path=str(path), img_shape=shape)))["img"]


def has_its_end(path: str | Path) -> bool | None:
    """Whether a JPEG or PNG ends as such a file does; None if it begins as neither."""
    with open(path, "rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    return next((end in tail for start, end in SIGNATURES.items() if head.startswith(start)), None)


def is_truncated(path: str | None) -> bool:
    """Look at the end of a local file and, if that is unusual, decode it strictly.

    Raises:
        ImageError: Its header asks for more pixels than Pillow decodes.
    """
    try:
        if path is None or not Path(path).is_file() or has_its_end(path) is not False:
            return False
    except OSError:  # nobody may read it, which loading says
        return False
    try:
        Image.open(path).load()
    except (OSError, SyntaxError):  # the latter of PNG
        return True
    except Image.DecompressionBombError as error:
        raise ImageError(f"image {path} cannot be decoded: {error}") from error
    return False
