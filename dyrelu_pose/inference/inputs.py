"""What a model is shown: persons in pictures, or those of a data set."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset, Compose
from mmengine.registry import init_default_scope
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.utils.data import Dataset, Subset

from dyrelu_pose.config.files import check_files
from dyrelu_pose.datasets.load_image import ImageError, read_image
from dyrelu_pose.errors import UserError

from .files import find_pictures

COCO = dict(from_file="configs/_base_/datasets/coco.py")  # MMPose's facts about its keypoints


def samples(cfg: Config, images: Sequence[Path], number: int) -> Subset[dict]:
    """Return model inputs as the config's own pipeline makes them.

    Args:
        cfg: The config.
        images: Image files, or folders of them; each is one input as a whole, letterboxed by the
            test pipeline. Without any: the samples of the validation set, with its boxes.
        number: Largest number of samples; of more, as many are taken, evenly spaced.

    Returns:
        Dicts of `inputs` (3, H, W), bytes in BGR, and `data_samples`.

    Raises:
        UserError: A file is missing.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import DATASETS

    if images:
        found: WholePictures | BaseDataset = WholePictures(find_pictures(images), cfg)
    elif cfg.get("val_dataloader"):
        # Without the model, whose pretrained weights are not needed any more.
        check_files(Config(dict(model={}, val_dataloader=cfg.val_dataloader)), ["val"])
        found = DATASETS.build(cfg.val_dataloader.dataset)
    else:
        raise UserError(f"{cfg.filename} has no val_dataloader: name images")
    return Subset(found, evenly_spaced(len(found), number))


def evenly_spaced(length: int, number: int) -> list[int]:
    """Return at most `number` of the indices below `length`, evenly spaced, ends included."""
    return np.linspace(0, length - 1, min(length, number)).round().astype(int).tolist()


def stack_inputs(
    cfg: Config, images: Sequence[Path], number: int, training: bool = False
) -> Tensor:
    """Return inputs (N, 3, H, W) in bytes, channels in OpenCV's order, as an evaluation makes them.

    They are to compare an exported file with PyTorch on, and to calibrate int8 with.

    Args:
        cfg: The config.
        images: See `samples`.
        number: Largest N.
        training: Whether the data set is that of training, not of validation.

    Raises:
        UserError: See `samples`.
    """
    cfg = copy.deepcopy(cfg)
    if training and not images:
        dataset = cfg.train_dataloader.dataset
        set_pipeline(dataset, cfg.val_dataloader.dataset.pipeline)  # nothing random
        cfg.val_dataloader = dict(dataset=dataset)
    found = samples(cfg, images, number)
    bar = track(
        iter(found),
        "reading persons",
        total=len(found),
        console=Console(stderr=True),
        transient=True,
    )
    return torch.stack([sample["inputs"] for sample in bar])


def set_pipeline(dataset: dict, pipeline: Sequence[dict]) -> None:
    """Give the config of a data set another pipeline: to its parts, where it has none itself."""
    parts = dataset.get("datasets") or [part for part in [dataset.get("dataset")] if part]
    if "pipeline" in dataset or not parts:
        dataset["pipeline"] = pipeline
        return
    for part in parts:
        set_pipeline(part, pipeline)


class PersonInput:
    """Makes the model's input of a person in a picture, by the config's test pipeline.

    Args:
        cfg: The config.

    Attributes:
        meta: MMPose's facts about the keypoints.

    Raises:
        UserError: The config has no test pipeline.
    """

    def __init__(self, cfg: Config) -> None:
        if not cfg.get("test_dataloader"):
            raise UserError(f"{cfg.filename} has no test_dataloader, whose pipeline reads images")
        init_default_scope(cfg.get("default_scope", "mmpose"))
        steps = cfg.test_dataloader.dataset.pipeline
        # Of who is to be found there are no keypoints to make targets of, as HeatmapNLL wants them.
        self.pipeline = Compose([step for step in steps if step["type"] != "GenerateTarget"])
        self.meta: dict = dataset_meta_from_config(cfg, "test") or parse_pose_metainfo(COCO)

    def __call__(
        self,
        picture: np.ndarray,
        box: Sequence[float] | np.ndarray,
        path: Path | None = None,
        score: float = 1.0,
    ) -> dict:
        """Return `inputs` and `data_samples`.

        Args:
            picture: (H, W, 3) bytes, blue first.
            box: Left, top, right, bottom of the person, in pixels.
            path: Where the picture is from.
            score: How sure it is that the box is a person's.
        """
        person = dict(
            self.meta,
            img=picture,
            img_path=None if path is None else str(path),
            bbox=np.array([box], np.float32),
            bbox_score=np.array([score], np.float32),
        )
        return cast(dict, self.pipeline(person))  # no transform of a test leaves a person out


class WholePictures(Dataset[dict]):
    """Image files, each taken for one person.

    Args:
        files: The image files.
        cfg: The config.

    Raises:
        UserError: The config has no test pipeline.
    """

    def __init__(self, files: Sequence[Path], cfg: Config) -> None:
        self.files = files
        self.person_input = PersonInput(cfg)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict:
        """Return one input.

        Raises:
            ImageError: The file is not a picture, or truncated.
        """
        file = self.files[index]
        picture = read_image(file)
        return self.person_input(picture, whole_box(picture), file)


def whole_box(picture: np.ndarray) -> list[int]:
    """Return the box around all of a picture: left, top, right, bottom."""
    height, width = picture.shape[:2]
    return [0, 0, width, height]


def check_picture(picture: np.ndarray) -> np.ndarray:
    """Return an array as a picture: (H, W, 3) bytes, blue first; greyscale (H, W) is repeated.

    Raises:
        ImageError: The array has another shape or dtype.
    """
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
        raise ImageError(
            f"a picture is an array of bytes, (H, W, 3) or (H, W), not {picture.dtype} "
            f"{picture.shape}"
        )
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] != 3:
        raise ImageError(f"a picture has 3 channels, blue first, not {picture.shape[2]}")
    return picture
