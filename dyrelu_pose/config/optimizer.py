"""Check an optimizer, and its schedules to their ends, before anything is written."""

import copy
import math
from collections.abc import Iterable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import (
    OptimWrapper,
    ZeroRedundancyOptimizer,
    _ParamScheduler,
    build_optim_wrapper,
)
from mmengine.registry import OPTIMIZERS, PARAM_SCHEDULERS
from torch import nn

from dyrelu_pose.errors import described

from .datasets import registered
from .errors import ConfigError, expect
from .files import listed
from .quiet import quietly

MANY = 100_000  # steps of a schedule, which take a second
UNUSABLE = (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError)


@quietly()
def check_optimizer(cfg: Config, model: nn.Module) -> None:
    """Build the optimizer of a config for a model, clip, run the schedules through, forget it all.

    Other wrappers than MMEngine's usual ones are left alone, and so is what depends on a
    device or on other processes.

    Raises:
        ConfigError: An option has a value that cannot be used, such as a rate that is a string, or
            that could not be used in a later epoch, such as a schedule that ends too early.
    """
    wrapper = expect(copy.deepcopy(cfg.optim_wrapper), dict, "optim_wrapper")
    if wrapper.get("type", "OptimWrapper") not in ("OptimWrapper", "AmpOptimWrapper"):
        return
    optimizer = expect(wrapper.get("optimizer"), dict, "optim_wrapper.optimizer")
    if registered(OPTIMIZERS, optimizer) is ZeroRedundancyOptimizer:
        return  # its processes do not know each other yet
    wrapper["type"] = "OptimWrapper"
    for option in ("dtype", "loss_scale", "use_fsdp"):  # of mixed precision
        wrapper.pop(option, None)
    key = "optim_wrapper"
    try:
        built = build_optim_wrapper(model, wrapper)
        key = "optim_wrapper.clip_grad"
        _clip(built)
        del built.param_groups[1:]  # a schedule treats all of them alike
        schedules = {}
        for number, schedule in enumerate(listed(cfg.get("param_scheduler"))):
            key = f"param_scheduler.{number}"
            schedule = copy.deepcopy(expect(schedule, dict, key))
            schedule.pop("convert_to_iter_based", None)  # which needs the length of an epoch
            schedules[key] = PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=built))
            _check_milestones(getattr(schedules[key], "milestones", ()))
    except UNUSABLE as error:
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error
    _run_through(schedules, built, cfg.get("train_cfg") or {})


def _clip(built: OptimWrapper) -> None:
    if built.clip_grad_kwargs:
        weight = nn.Parameter(torch.zeros(1))
        weight.grad = torch.ones(1)
        built.clip_func([weight], **built.clip_grad_kwargs)


def _check_milestones(milestones: Iterable[Any]) -> None:
    """Check what a schedule compares with its steps: anything else would be no step of all."""
    for milestone in milestones:
        if type(milestone) not in (int, float) or milestone % 1:
            raise TypeError(f"milestone {milestone!r} is not a whole number")


def _run_through(schedules: dict[str, _ParamScheduler], built: OptimWrapper, loop: dict) -> None:
    """Take as many steps with each schedule as there are epochs, or iterations where they count.

    An epoch has one iteration at least, so that none takes a step too many.
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
