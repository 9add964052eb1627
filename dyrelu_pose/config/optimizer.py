"""Check an optimizer, and its schedules to their ends, before anything is written."""

import copy
import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.optim import (
    OptimWrapper,
    ZeroRedundancyOptimizer,
    _ParamScheduler,
    build_optim_wrapper,
)
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import OPTIMIZERS, PARAM_SCHEDULERS
from torch import nn

from dyrelu_pose.errors import described

from .errors import ConfigError, expect
from .parts import entries, listed, registered
from .quiet import quietly

MANY = 100_000  # steps of a schedule, which take a second
UNUSABLE = (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError)


def check_optimizer(cfg: Config, model: nn.Module) -> None:
    """Build the optimizer of a config, clip a gradient, and step its schedules to their ends.

    All of that is thrown away. Other wrappers than MMEngine's usual ones are left alone, and so is
    what depends on a device or on other processes. A schedule whose lowest rate is above those of
    slower groups of parameters is a warning.

    Raises:
        ConfigError: An option cannot be used, such as a rate that is a string; a schedule fails in
            a later epoch, such as one that ends too early; or it gives all groups of parameters one
            rate, and the optimizer has several.
    """
    for note in _build_and_step(cfg, model):
        print_log(note, "current", logging.WARNING)


@quietly()
def _build_and_step(cfg: Config, model: nn.Module) -> list[str]:
    """Do what `check_optimizer` does, and return its warnings."""
    wrapper = expect(copy.deepcopy(cfg.optim_wrapper), dict, "optim_wrapper")
    if wrapper.get("type", "OptimWrapper") not in ("OptimWrapper", "AmpOptimWrapper"):
        return []
    optimizer = expect(wrapper.get("optimizer"), dict, "optim_wrapper.optimizer")
    if registered(OPTIMIZERS, optimizer) is ZeroRedundancyOptimizer:
        return []  # its processes do not know each other yet
    _check_decay(wrapper.get("paramwise_cfg") or {}, optimizer)
    wrapper["type"] = "OptimWrapper"
    for option in ("dtype", "loss_scale", "use_fsdp"):  # of mixed precision
        wrapper.pop(option, None)
    key = "optim_wrapper"
    try:
        built = build_optim_wrapper(model, wrapper)
        _check_groups(built.optimizer, wrapper)
        key = "optim_wrapper.clip_grad"
        _clip(built)
        rates = [group["lr"] for group in built.param_groups]
        schedules = {}
        for number, schedule in enumerate(listed(cfg.get("param_scheduler"))):
            key = f"param_scheduler.{number}"
            schedule = copy.deepcopy(expect(schedule, dict, key))
            schedule.pop("convert_to_iter_based", None)  # which needs the length of an epoch
            schedules[key] = PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=built))
            _check_milestones(getattr(schedules[key], "milestones", ()))
    except UNUSABLE as error:
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error
    notes = [note for key in schedules for note in _raised_rates(key, schedules[key], rates)]
    _run_through(schedules, built, cfg.get("train_cfg") or {})
    return notes


def _raised_rates(key: str, schedule: _ParamScheduler, rates: Sequence[float]) -> Iterator[str]:
    """Yield a warning if the lowest rate of a schedule is above those of some groups.

    Args:
        key: Where the schedule is in the config.
        schedule: The schedule.
        rates: Those of the groups of parameters; the last is the rate in the config.

    Raises:
        ConfigError: It gives one rate to groups that have several.
    """
    if schedule.param_name != "lr":
        return
    name, base = type(schedule).__name__, rates[-1]
    said = f"{key} of the config, {name},"
    several = (
        f"optim_wrapper (constructor, paramwise_cfg) makes groups of parameters whose rates are "
        f"{min(rates):.3g} to {max(rates):.3g}"
    )
    if isinstance(schedule, OneCycleParamScheduler):
        if len(set(rates)) > 1 and not isinstance(schedule.eta_max, (list, tuple)):
            raise ConfigError(
                f"{said} gives all parameters one rate, by eta_max={schedule.eta_max:g}, and "
                f"{several}: take LinearLR and then CosineAnnealingLR with eta_min_ratio, which "
                "keep their ratios"
            )
        return
    lowest = getattr(schedule, "eta_min", None) or 0
    if base and lowest > min(rates):
        other = "" if hasattr(schedule, "eta_min_ratio") else "CosineAnnealingLR and "
        yield (
            f"{said} raises the lowest rates to eta_min={lowest:g}, and {several}: take "
            f"{other}eta_min_ratio={lowest / base:.3g} in its place, which keeps their ratios"
        )


def _check_decay(paramwise: dict, optimizer: dict) -> None:
    """Check that there is a weight decay where groups of parameters are given shares of it."""
    if optimizer.get("weight_decay") is not None:
        return
    for key, _ in entries(paramwise, "optim_wrapper.paramwise_cfg"):
        if key.endswith("decay_mult"):
            raise ConfigError(
                f"{key} of the config scales optim_wrapper.optimizer.weight_decay, which is not "
                f"set: set it, or leave {key} out"
            )


def _check_groups(optimizer: torch.optim.Optimizer, wrapper: dict) -> None:
    """Check that the groups of parameters have numbers where the optimizer has numbers."""
    for group in optimizer.param_groups:
        for name, value in group.items():
            if value is None and optimizer.defaults.get(name) is not None:
                raise ConfigError(
                    f"optim_wrapper.constructor of the config, {wrapper.get('constructor')}, "
                    f"gives groups of parameters their own {name}: set "
                    f"optim_wrapper.optimizer.{name}"
                )


def _clip(built: OptimWrapper) -> None:
    if built.clip_grad_kwargs:
        weight = nn.Parameter(torch.zeros(1))
        weight.grad = torch.ones(1)
        built.clip_func([weight], **built.clip_grad_kwargs)


def _check_milestones(milestones: Iterable[Any]) -> None:
    """Check that milestones are whole numbers: no step of a schedule would equal another one."""
    for milestone in milestones:
        if type(milestone) not in (int, float) or milestone % 1:
            raise TypeError(f"milestone {milestone!r} is not a whole number")


def _run_through(schedules: dict[str, _ParamScheduler], built: OptimWrapper, loop: dict) -> None:
    """Step each schedule once per epoch, or per iteration in a loop over iterations.

    Those by iterations in a loop over epochs so take the fewest steps that they can: one per epoch.
    """
    unit = next((unit for unit in ("epoch", "iter") if loop.get(f"max_{unit}s")), "")
    steps = int(loop.get(f"max_{unit}s", 0))
    for step in range(1, min(steps, MANY)):
        for key, schedule in schedules.items():
            if getattr(schedule, "need_val_args", False):  # it goes by a metric
                continue
            where = f"{key} of the config, before {unit} {step + 1} of {steps},"
            try:
                schedule.step()
            except UNUSABLE as error:
                raise ConfigError(f"{where} fails: {described(error)}") from error
            rate = built.param_groups[0]["lr"]
            if not (math.isfinite(rate) and rate >= 0):
                raise ConfigError(f"{where} makes the rate {rate:g}")
