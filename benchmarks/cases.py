"""The feature maps that activations are timed on."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.placement import probe

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = ("hrnet", "mobilenetv2")  # configs/dyrelu_NAME.py, and its twin in configs/baselines/
STUDY = "study/resnet18-8_drawn"  # in configs/


class Network(NamedTuple):
    """A network of `NAMES` or another such config.

    Attributes:
        config: NAME of configs/dyrelu_NAME.py, and of its twin in configs/baselines/.
        size: Width and height of the input.
        batch: Images of a training step on a CPU.
    """

    config: str
    size: tuple[int, int] = (192, 256)
    batch: int = 8

    def __str__(self) -> str:
        width, height = self.size
        return f"{self.config} {height}x{width}"


NETWORKS = {
    str(network): network
    for network in (
        *map(Network, reversed(NAMES)),
        Network("mobilenetv2-x05", (64, 96), 32),
        Network("mobilenetv2-x05", (96, 128), 32),
        Network("mobilenetv2-x05"),
    )
}

MAP = (96, 32, 24)  # (C, H, W) of the series
SERIES = "batch series"
BATCHES = (1, 4, 16, 64)  # a batch of 64 is the size that speeds are compared at
QUICK = (4, 64)
# (N, C, H, W) for GPUs: larger than their caches first, then what fits; and a single image.
MAPS = ((512, 96, 32, 24), (64, 32, 64, 48), (64, 128, 16, 12), (1, 32, 64, 48))
TINY = ((2, 16, 4, 3),)
FORMATS = {"NCHW": torch.contiguous_format, "channels_last": torch.channels_last}


class Case(NamedTuple):
    """A map (N, C, H, W) in one of `FORMATS`, and how many sites of a model have its (C, H, W)."""

    name: str
    shape: tuple[int, int, int, int]
    memory_format: str
    sites: int | None = None

    def __str__(self) -> str:
        return f"{self.name}, {'x'.join(map(str, self.shape))}, {self.memory_format}"


def series(batches: Sequence[int] = BATCHES) -> list[Case]:
    """Return maps of one (C, H, W) in batches of growing size, in both memory formats."""
    return [
        Case(SERIES, (batch, *MAP), memory_format) for memory_format in FORMATS for batch in batches
    ]


def maps(shapes: Sequence[tuple[int, int, int, int]]) -> list[Case]:
    """Return maps of some shapes, each in both memory formats, first the one of fast GPU models."""
    return [Case("maps", shape, name) for shape in shapes for name in reversed(FORMATS)]


def sites(name: str, batch: int) -> list[Case]:
    """Return the distinct maps at the activation sites of a config, found by probing its model.

    They are channels_last, which these models run faster in.

    Args:
        name: One of `NAMES`, or `STUDY`.
        batch: Images in a batch.
    """
    folder = CONFIGS if name == STUDY else CONFIGS / "baselines"
    cfg = Config.fromfile(folder / f"{name}.py")
    maps = Counter(
        (site.channels, *site.size) for site in probe(MODELS.build(cfg.model), cfg.codec.input_size)
    )
    return [Case(name, (batch, *size), "channels_last", count) for size, count in maps.items()]
