"""Check what a training starts from, or a test loads, before anything is written."""

import copy
from collections.abc import Iterator
from contextlib import suppress

from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner import find_latest_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.compat.fit import Misfit, Written, counted, load_whole, misfits, remedy
from dyrelu_pose.engine.start import check_loaded, check_resumed
from dyrelu_pose.placement.meta_device import run_without_values

from .parts import entries, listed
from .quiet import quietly


def check_weights(cfg: Config) -> None:
    """Check the checkpoints of `load_from` and `Pretrained`, or the one to resume from.

    They are loaded into a model without values. A runner that is not MMEngine's own has checkpoints
    of its own, which are left to it.

    Raises:
        CheckpointError: A file is missing, damaged, or not a checkpoint.
        Misfit: No tensor of one fits the part that it is loaded into.
        ResumeError: The one to resume from is not that of a training, or is of another training.
    """
    path = None
    if cfg.get("runner_type", "Runner") == "Runner":
        path = cfg.get("load_from")
        if cfg.get("resume") and not path:
            path = find_latest_checkpoint(cfg.work_dir)
    pretrained = any(value == "Pretrained" for _, value in entries(cfg.model.to_dict()))
    if not (path or pretrained):
        return
    model = _without_values(cfg)
    for key, module, init in _pretrained(model):
        _check_pretrained(key, module, init)
    if path:
        checkpoint = CheckpointLoader.load_checkpoint(path, "cpu", logger="silent")
        if cfg.get("resume"):
            with quietly():
                optim = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
                check_resumed(checkpoint, path, model, optim)
        else:
            written = Written(model)
            with quietly():
                misfits(model, checkpoint)
            check_loaded(written(), model, checkpoint, f"load_from={path}")


def check_whole(cfg: Config, path: str, owner: str) -> None:
    """Check that a checkpoint has all of a config's model, as `load_whole` does.

    Raises:
        UserError: As of `load_whole`.
    """
    model = _without_values(cfg)
    with quietly():
        load_whole(model, path, owner)


def _without_values(cfg: Config) -> nn.Module:
    with quietly():
        return run_without_values(lambda device: MODELS.build(copy.deepcopy(cfg.model)))


def _pretrained(model: nn.Module) -> Iterator[tuple[str, nn.Module, dict]]:
    """Yield (config key, part of the model, its `init_cfg`) where that names a checkpoint."""
    for name, module in model.named_modules():
        for init in listed(getattr(module, "init_cfg", None)):
            if init.get("type") == "Pretrained":
                yield f"model.{name}.init_cfg".replace("..", "."), module, init


def _check_pretrained(key: str, module: nn.Module, init: dict) -> None:
    written = Written(module)
    load = WEIGHT_INITIALIZERS.build(copy.deepcopy(init))
    with quietly(), suppress(AssertionError):  # no name has the prefix
        load(module)
    if not any((found := written()).values()):
        checkpoint = CheckpointLoader.load_checkpoint(init["checkpoint"], "cpu", logger="silent")
        advice = remedy(module, checkpoint, 0, key)
        raise Misfit(
            f"{key}: nothing of checkpoint {init['checkpoint']} fits: {counted(found)}; "
            + (advice or "it is of another model: leave it out to start without weights")
        )
