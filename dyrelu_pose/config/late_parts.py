"""Check what a runner builds late: after its folder and its log, or after an epoch."""

import copy
import logging
import multiprocessing
from collections.abc import Sequence
from inspect import isclass
from pathlib import Path
from typing import Any, cast

import cv2
import torch
from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import EMAHook
from mmengine.registry import DATA_SAMPLERS, HOOKS, LOG_PROCESSORS, MODELS, Registry
from mmengine.runner.priority import Priority, get_priority
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import HOOKS as MMPOSE_HOOKS
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dyrelu_pose.errors import described
from dyrelu_pose.records.files import OutputError, check_output_folder

from .errors import ConfigError
from .known_keys import OF_LOADERS
from .parts import LIBRARIES, hooks_of, is_of, metrics, registered
from .quiet import quietly

MADE = {"dataset", "num_batch_per_epoch", *OF_LOADERS}  # of a loader, by MMEngine from configs
SEEDS = range(2**32)


def check_late_parts(cfg: Config, splits: Sequence[str]) -> None:
    """Check seed, levels, loaders, hooks, outputs and the log of a config.

    Args:
        cfg: The config, whose keys have been checked.
        splits: What is used of it: 'train', 'val', 'test'.

    Raises:
        ConfigError: One has a value that cannot be used; the message names its key.
    """
    _check_values(cfg)
    if "train" in splits:
        _check_intervals(cfg.train_cfg.get("dynamic_intervals"))
    _check_outputs(cfg, splits)
    for split in splits:
        if loader := cfg.get(f"{split}_dataloader"):
            _check_loader(f"{split}_dataloader", loader)
            if split != "train" or "max_epochs" in cfg.train_cfg:
                _check_end(f"{split}_dataloader.sampler", loader.get("sampler"))
    for key, hook in hooks_of(cfg).items():
        _check_priority(f"{key}.priority", hook.get("priority", "NORMAL"))
        _check_windows(key, hook)
        if is_of(registered(HOOKS, hook), LIBRARIES):  # not MMPose's, which ask for the visualizer
            options = {name: value for name, value in hook.items() if name != "priority"}
            built = _check_built(key, HOOKS, options)
            if isinstance(built, EMAHook) and "train" in splits:
                _check_average(key, built, cfg.train_cfg)
    if processor := cfg.get("log_processor"):
        _check_built("log_processor", LOG_PROCESSORS, {"type": "LogProcessor", **processor})


def _check_values(cfg: Config) -> None:
    seed = (cfg.get("randomness") or {}).get("seed")
    if seed is not None and (type(seed) is not int or seed not in SEEDS):
        raise ConfigError(
            f"randomness.seed of the config is {seed!r}: it has to be a whole number below 2^32"
        )
    level = cfg.get("log_level", "INFO")
    if type(level) is not int and not isinstance(logging.getLevelName(level), int):
        raise ConfigError(f"log_level of the config is {level!r}: it has to be INFO, WARNING, ...")
    method = ((cfg.get("env_cfg") or {}).get("mp_cfg") or {}).get("mp_start_method")
    methods = multiprocessing.get_all_start_methods()
    if method is not None and method not in methods:
        raise ConfigError(
            f"env_cfg.mp_cfg.mp_start_method of the config is {method!r}: on this machine it has "
            f"to be {' or '.join(methods)}"
        )


def _check_intervals(intervals: Any) -> None:
    """Check the intervals of validation, and that each begins after the one before it."""
    pairs = intervals or []
    usable = isinstance(pairs, list) and all(
        isinstance(pair, tuple) and len(pair) == 2 and {int} == {*map(type, pair)} and pair[1] > 0
        for pair in pairs
    )
    if not usable or sorted(pairs) != pairs:
        raise ConfigError(
            f"train_cfg.dynamic_intervals of the config is {intervals!r}: it has to be a list of "
            "(begin, interval) in ascending order, such as [(100, 10), (200, 1)]"
        )


def _check_priority(key: str, priority: object) -> None:
    try:
        get_priority(cast(str, priority))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{key} of the config is {priority!r}: it has to be a whole number from 0, the first, "
            f"to 100, or {', '.join(Priority.__members__)}"
        ) from error


def _check_outputs(cfg: Config, splits: Sequence[str]) -> None:
    """Check that what hooks and metrics write has a place."""
    named: list[tuple[str, str | None]] = []
    if "train" in splits:
        named += [(f"{key}.out_dir", hook.get("out_dir")) for key, hook in hooks_of(cfg).items()]
    for split in set(splits) - {"train"}:
        for key, metric in metrics(cfg, split):
            named += [(f"{key}.outfile_prefix", metric.get("outfile_prefix"))]
    for key, path in named:
        if isinstance(path, str) and "://" not in path:
            try:
                check_output_folder(path if key.endswith("out_dir") else Path(path).parent)
            except OutputError as error:
                raise ConfigError(f"{key} of the config: {error}") from error


def _check_windows(key: str, hook: dict) -> None:
    shows = registered(MMPOSE_HOOKS, hook) is PoseVisualizationHook and hook.get("enable")
    if shows and hook.get("show") and not cv2.currentUIFramework():
        raise ConfigError(
            f"{key}.show of the config is True, and this OpenCV opens no windows "
            "(opencv-python-headless): leave --show out, --show-dir draws into files"
        )


@quietly()
def _check_loader(key: str, loader: dict) -> None:
    options = {name: value for name, value in loader.items() if name not in MADE}
    try:
        DataLoader(TensorDataset(torch.zeros(1)), **options)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error


def _check_end(key: str, sampler: object) -> None:
    """Check that the samples of an epoch come to an end."""
    kind = registered(DATA_SAMPLERS, sampler) if isinstance(sampler, dict) else None
    if isclass(kind) and issubclass(kind, InfiniteSampler):
        raise ConfigError(
            f"{key} of the config is {kind.__name__}, which never ends, and neither would an "
            "epoch: take DefaultSampler, or in training an IterBasedTrainLoop"
        )


def _check_average(key: str, hook: EMAHook, loop: dict) -> None:
    """Check that the averaged model can be built, and that averaging begins within the training."""
    _check_built(key, MODELS, hook.ema_cfg, model=nn.Linear(1, 1))
    for unit, begin in (("epoch", hook.begin_epoch), ("iter", hook.begin_iter)):
        if begin > (last := loop.get(f"max_{unit}s", begin)):
            raise ConfigError(
                f"{key}.begin_{unit} of the config is {begin}, and train_cfg.max_{unit}s is {last}"
            )


@quietly()
def _check_built(key: str, registry: Registry, part: dict, **made: object) -> object:
    """Build a part, with stand-ins for what is `made` at run time, and return it."""
    try:
        return registry.build(copy.deepcopy(part), default_args=made)
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{key} of the config cannot be built: {described(error)}; it is {part}"
        ) from error
    except Exception:  # of what is not there yet, such as the visualizer
        return None
