"""Real inputs of a model: to compare a file with PyTorch on, and to calibrate int8 with."""

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from rich.console import Console
from rich.progress import track
from torch import Tensor

from dyrelu_pose.inference.inputs import samples


def persons(cfg: Config, images: Sequence[Path], number: int, training: bool = False) -> Tensor:
    """Return crops (N, 3, H, W) in bytes, channels in OpenCV's order, as an evaluation makes them.

    Args:
        cfg: The config.
        images: Pictures, or folders of them, each taken for one person; none: persons of the data
            set.
        number: Largest N; of more, as many are taken, evenly spread.
        training: Whether the data set is that of training, not of validation.

    Raises:
        UserError: A file is missing, or there are fewer than two persons.
    """
    cfg = copy.deepcopy(cfg)
    if training and not images:
        dataset = cfg.train_dataloader.dataset.copy()
        dataset.pipeline = cfg.val_dataloader.dataset.pipeline  # nothing random
        cfg.val_dataloader = dict(dataset=dataset)
    found = samples(cfg, images, number)
    bar = track(found, "reading persons", console=Console(stderr=True), transient=True)
    return torch.stack([sample["inputs"] for sample in bar])
