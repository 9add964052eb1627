"""Uploaded pictures: checked before they are decoded."""

from pathlib import Path

import numpy as np
from PIL import Image

from dyrelu_pose.datasets.load_image import ADVICE, ImageError, read_image

MAX_PIXELS = 2**26  # 67 million, 200 MB of memory; a phone's 64-megapixel photograph is below


def uploaded_path(path: object, folder: str | Path) -> Path:
    """Return the path of an upload, for which a request may give anything.

    Args:
        path: What the request gives.
        folder: The folder that uploads are kept in.

    Raises:
        ImageError: It is not the path of something in that folder.
    """
    if isinstance(path, str) and "\0" not in path:
        found = Path(path).resolve()
        if found.is_relative_to(Path(folder).resolve()):
            return found
    raise ImageError("a picture is uploaded as a file, not as a path")


def read_upload(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read a picture whose header does not ask for more memory than it may have.

    Args:
        path: The file, of whatever content.
        max_pixels: Width times height of the largest picture that is decoded.

    Returns:
        (H, W, 3) bytes, blue first, turned as its EXIF tag says.

    Raises:
        ImageError: It is not a picture, damaged, or too large. The message names the file without
            its folder, which is none of the sender's business.
    """
    name = Path(path).name
    try:
        with Image.open(path) as image:  # reads the header alone
            width, height = image.size
    except Image.DecompressionBombError as error:
        raise ImageError(f"image {name} is not decoded: {error}") from error
    except Exception as error:  # of damage of any kind
        raise ImageError(f"image {name} cannot be decoded; {ADVICE}") from error
    if height * width > max_pixels:
        raise ImageError(
            f"image {name} has {width}x{height} pixels, and at most {max_pixels / 1e6:.0f} million "
            "are read; make it smaller"
        )
    try:
        return read_image(path)
    except ImageError as error:
        raise ImageError(str(error).replace(str(path), name)) from error
