"""The images that a model is shown: files as a whole, or persons of the validation set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from torch.utils.data import Dataset, Subset

from dyrelu_pose.config.files import check_files
from dyrelu_pose.errors import UserError

from .files import PICTURES
from .pictures import read_picture


def samples(cfg: Config, images: Sequence[Path], number: int) -> Dataset:
    """Return model inputs as the config's own pipeline makes them.

    Args:
        cfg: The config.
        images: Image files, or folders of them; each is one input as a whole, letterboxed by the
            test pipeline. None: the samples of the validation set, with its boxes.
        number: Largest number of samples; of more, as many are taken, evenly spread.

    Returns:
        Dicts of `inputs` (3, H, W), bytes in BGR, and `data_samples`.

    Raises:
        UserError: A file is missing, or there are not two images to compare.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import DATASETS

    if images:
        found: Dataset = WholePictures(find_pictures(images), cfg)
    elif cfg.get("val_dataloader"):
        # Without the model, whose pretrained weights are not needed any more.
        check_files(Config(dict(model={}, val_dataloader=cfg.val_dataloader)), ["val"])
        found = DATASETS.build(cfg.val_dataloader.dataset)
    else:
        raise UserError(f"{cfg.filename} has no val_dataloader: name images")
    if min(len(found), number) < 2:
        raise UserError(
            f"{min(len(found), number)} image(s) to look at, but what depends on the image shows "
            "only on two or more"
        )
    return Subset(found, spread(len(found), number))


def spread(length: int, number: int) -> list[int]:
    """Return at most `number` of the indices below `length`, evenly spread, ends included."""
    return np.linspace(0, length - 1, min(length, number)).round().astype(int).tolist()


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the files among `paths`, and the images directly in the folders among them.

    Raises:
        UserError: A path does not exist, or a folder holds no image.
    """
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"image {path} does not exist")
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
            if not inside:
                raise UserError(f"folder {path} holds no image ({', '.join(PICTURES)})")
            files += inside
        else:
            files.append(path)
    return files


class WholePictures(Dataset):
    """Image files, each with a box around the whole picture, through the test pipeline.

    Args:
        files: The image files.
        cfg: The config.

    Raises:
        UserError: The config has no test pipeline.
    """

    def __init__(self, files: Sequence[Path], cfg: Config) -> None:
        from mmpose.apis.inference import dataset_meta_from_config

        if not cfg.get("test_dataloader"):
            raise UserError(f"{cfg.filename} has no test_dataloader, whose pipeline reads images")
        self.files = files
        self.pipeline = Compose(cfg.test_dataloader.dataset.pipeline)
        self.meta = dataset_meta_from_config(cfg, "test") or {}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict:
        """Return one input.

        Raises:
            PictureError: The file is no picture, or truncated.
        """
        file = self.files[index]
        picture = read_picture(file)
        height, width = picture.shape[:2]
        return self.pipeline(
            dict(
                self.meta,
                img=picture,
                img_path=str(file),
                bbox=np.array([[0, 0, width, height]], np.float32),
                bbox_score=np.ones(1, np.float32),
            )
        )
