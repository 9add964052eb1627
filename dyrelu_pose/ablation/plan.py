"""Checks every cell before anything is trained: builds its model, and counts what it costs."""

import copy
import math
import time
from collections import Counter
from dataclasses import dataclass
from itertools import chain, repeat

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from dyrelu_pose.complexity import Complexity, measure
from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.quiet import quietly
from dyrelu_pose.models.estimator import build
from dyrelu_pose.models.input_size import decoder_input_size, input_size_of
from dyrelu_pose.placement import Placement
from dyrelu_pose.placement.meta_device import run_without_values

from .grid import Cell, GridError

TIMED = 3  # iterations, after one that warms up


@dataclass(frozen=True)
class CellPlan:
    """What a cell is, known without training it.

    Attributes:
        layers: Number of layers that its rules place, by class name.
        complexity: Parameters and multiply-adds of its model.
    """

    layers: dict[str, int]
    complexity: Complexity


def plan_cell(cell: Cell, cfg: Config) -> CellPlan:
    """Build the model of a cell, without weights, and measure it.

    Args:
        cell: The cell.
        cfg: Its full config.

    Raises:
        GridError: The model cannot be built, placed or run; the message names the cell.
    """
    try:
        with named_parts(cfg):
            model, placements = build_without_values(cfg)
        # What the head decodes, before model.input_size: an option may have changed the former.
        size = decoder_input_size(cfg.model.get("head")) or input_size_of(cfg)
        complexity = measure(model, size)
    except Exception as error:  # a config can go wrong in any part of the framework
        raise GridError(f"cell {cell.name}: {error}") from error
    layers = Counter(p.placed for p in placements if p.placed)
    return CellPlan(dict(layers), complexity)


def build_without_values(cfg: Config) -> tuple[nn.Module, list[Placement]]:
    """Build a config's model and say what its rules place, on the meta device where it can be."""
    return run_without_values(lambda device: build(cfg))


def check_distinct(digests: dict[str, str]) -> None:
    """Refuse two cells that would train the same thing.

    Args:
        digests: Hash of the config of each cell, at the same seed.

    Raises:
        GridError: Two are equal.
    """
    names: dict[str, str] = {}
    for name, digest in digests.items():
        if digest in names:
            raise GridError(f"cells {names[digest]} and {name} have the same config")
        names[digest] = name


@quietly()
def count_iterations(cfg: Config) -> int:
    """Return the training iterations of a config in one process; reads its annotations."""
    if "max_iters" in cfg.train_cfg:
        return cfg.train_cfg.max_iters
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import DATASETS

    samples = len(DATASETS.build(cfg.train_dataloader.dataset))
    return cfg.train_cfg.max_epochs * math.ceil(samples / cfg.train_dataloader.batch_size)


@quietly()
def time_iteration(cfg: Config) -> float:
    """Return the seconds of a training iteration of a config, data loading included."""
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmengine.optim import build_optim_wrapper
    from mmpose.registry import MODELS

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loader_cfg = {**cfg.train_dataloader, "num_workers": 0, "persistent_workers": False}
    loader = Runner.build_dataloader(loader_cfg, seed=0)
    model = MODELS.build(copy.deepcopy(cfg.model)).to(device)
    model.train()
    optimizer = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    seconds = []
    batches = chain.from_iterable(repeat(loader))  # anew where the data are few
    for _ in range(1 + TIMED):
        start = time.perf_counter()
        model.train_step(next(batches), optimizer)["loss"].item()  # waits for the device
        seconds.append(time.perf_counter() - start)
    return sum(seconds[1:]) / TIMED
