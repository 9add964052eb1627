"""Check data sets of one folder of images per class, before anything heavy starts."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config

from dyrelu_pose.errors import UserError

from .parts import innermost_dataset

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif")  # as MMPretrain reads them
LAYOUT = "expected is FOLDER/CLASS/IMAGE, the same classes in each split"


class ImageFolderError(UserError):
    """A folder is not laid out as one folder of images per class."""


def check_classes(cfg: Config, splits: Sequence[str]) -> None:
    """Check the class folders of `splits` ('train', 'val', 'test'); other data sets are left alone.

    Raises:
        ImageFolderError: There are not as many classes as the head has, a class has no image, or
            two splits differ in their classes.
    """
    wanted = (cfg.model.get("head") or {}).get("num_classes")
    first: tuple[str, list[str]] | None = None
    for key, folder in _folders(cfg, splits):
        classes = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
        if wanted is not None and len(classes) != wanted:
            raise ImageFolderError(
                f"{folder} ({key}) has {len(classes)} class folders, and model.head.num_classes is "
                f"{wanted}: {LAYOUT}"
            )
        empty = [name for name in classes if not _has_image(Path(folder, name))]
        if empty:
            raise ImageFolderError(
                f"{folder}/{empty[0]} ({key}) holds no image ({', '.join(EXTENSIONS)}): {LAYOUT}"
            )
        first = first or (folder, classes)
        if classes != first[1]:
            odd = min(set(classes) ^ set(first[1]))
            raise ImageFolderError(f"class {odd} is only in one of {first[0]}, {folder}: {LAYOUT}")


def _folders(cfg: Config, splits: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (config key, folder) of each split whose labels are the names of folders."""
    for split in splits:
        loader = cfg.get(f"{split}_dataloader")
        dataset = innermost_dataset(loader.dataset) if loader else {}
        labelled = dataset.get("with_label", True) and not dataset.get("ann_file")
        if str(dataset.get("type")).endswith("CustomDataset") and labelled:
            prefix = dataset["data_prefix"]
            path = prefix if isinstance(prefix, str) else prefix["img_path"]
            key = f"{split}_dataloader.dataset.data_prefix"
            yield key, os.path.join(dataset.get("data_root") or "", path)


def _has_image(folder: Path) -> bool:
    """Whether any file at any depth below `folder` is an image, by its name."""
    return any(
        name.lower().endswith(EXTENSIONS) for _, _, names in os.walk(folder) for name in names
    )
