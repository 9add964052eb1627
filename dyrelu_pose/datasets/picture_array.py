"""The pictures of a COCO file, decoded, in one memory-mapped array."""

import glob
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import short_digest

from .load_image import read_image


class PictureArray:
    """Pictures (H, W, 3), uint8, by the id that their COCO file gives them; read-only.

    Processes that read the same file share its pages, which the system keeps in memory as far as
    there is room. The name of the file has the hash of the annotations in it, so that an array is
    never taken for that of a set that has been made anew.

    Args:
        ann_file: COCO annotations.
        folder: Folder of the pictures, beside which the array is.

    Raises:
        UserError: There is no array of these annotations.
    """

    def __init__(self, ann_file: str | Path, folder: str | Path) -> None:
        self.path = array_file(ann_file, folder)
        if not self.path.is_file():
            raise UserError(
                f"the pictures of {folder} are in no array, {self.path}: write it by "
                "tools/crop_dataset.py or tools/make_synthetic_coco.py with --array"
            )
        images = _images(ann_file)
        self.rows = {image["id"]: row for row, image in enumerate(images)}
        self.sizes = np.array([(image["height"], image["width"]) for image in images])
        self.ends = np.cumsum(3 * self.sizes.prod(1))
        self._map()

    def __getitem__(self, id: int) -> np.ndarray:
        """Return a picture."""
        row = self.rows[id]
        height, width = self.sizes[row]
        end = self.ends[row]
        return self.values[end - 3 * height * width : end].reshape(height, width, 3)

    def shape(self, id: int) -> tuple[int, int]:
        """Return height and width of a picture."""
        return tuple(self.sizes[self.rows[id]])

    def _map(self) -> None:
        self.values = np.load(self.path, mmap_mode="r")

    def __getstate__(self) -> dict:
        return {name: value for name, value in vars(self).items() if name != "values"}

    def __setstate__(self, state: dict) -> None:
        vars(self).update(state)
        self._map()  # of a process that was not forked


def array_file(ann_file: str | Path, folder: str | Path) -> Path:
    """Return where the array of the pictures of an annotation file is: beside their folder."""
    folder, digest = Path(folder), short_digest(Path(ann_file).read_bytes())
    return folder.with_name(f"{folder.name}-{digest}.npy")


def write_array(
    ann_file: str | Path,
    folder: str | Path,
    progress: Callable[[Iterable, int, str], Iterable] = lambda items, total, text: items,
) -> Path:
    """Decode the pictures of an annotation file into an array, unless it is there already.

    Arrays of other annotations of the same folder go away.

    Args:
        ann_file: COCO annotations.
        folder: Folder of the pictures.
        progress: A function of (iterable, total, description) that yields the iterable's items.

    Returns:
        The file.

    Raises:
        ImageError: A picture cannot be read, or has another size than the annotations say.
    """
    path = array_file(ann_file, folder)
    if path.is_file():
        return path
    images = _images(ann_file)
    draft = path.with_suffix(".tmp")
    total = sum(3 * image["height"] * image["width"] for image in images)
    values = np.lib.format.open_memmap(draft, mode="w+", dtype=np.uint8, shape=(total,))
    start = 0
    for image in progress(images, len(images), path.name):
        file = Path(folder, image["file_name"])
        picture = read_image(file, (image["height"], image["width"]))
        values[start : start + picture.size] = picture.ravel()
        start += picture.size
    values.flush()
    remove_arrays(folder)
    os.replace(draft, path)
    return path


def remove_arrays(folder: str | Path) -> None:
    """Remove all arrays of the pictures of a folder."""
    folder = Path(folder)
    for old in folder.parent.glob(f"{glob.escape(folder.name)}-*.npy"):
        old.unlink()


def _images(ann_file: str | Path) -> list[dict]:
    return json.loads(Path(ann_file).read_bytes())["images"]
