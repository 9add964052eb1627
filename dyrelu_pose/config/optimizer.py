"""Check that the optimizer and its schedules can be built, before anything is written."""

import copy
from collections.abc import Iterable

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from dyrelu_pose.errors import described

from .errors import ConfigError, expect
from .files import listed
from .quiet import quietly


@quietly()
def check_optimizer(cfg: Config, model: nn.Module) -> None:
    """Build the optimizer of a config for a model, and its schedules, clip, and throw them away.

    Other wrappers than MMEngine's usual ones are left alone, and so is what depends on a device.

    Raises:
        ConfigError: An option has a value that cannot be used, such as a rate that is a text.
    """
    wrapper = expect(copy.deepcopy(cfg.optim_wrapper), dict, "optim_wrapper")
    if wrapper.get("type", "OptimWrapper") not in ("OptimWrapper", "AmpOptimWrapper"):
        return
    wrapper["type"] = "OptimWrapper"
    for option in ("dtype", "loss_scale", "use_fsdp"):  # of mixed precision
        wrapper.pop(option, None)
    key = "optim_wrapper"
    try:
        built = build_optim_wrapper(model, wrapper)
        key = "optim_wrapper.clip_grad"
        _clip(built)
        for number, schedule in enumerate(listed(cfg.get("param_scheduler"))):
            key = f"param_scheduler.{number}"
            schedule = copy.deepcopy(expect(schedule, dict, key))
            schedule.pop("convert_to_iter_based", None)  # which needs the length of an epoch
            built_schedule = PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=built))
            _check_milestones(getattr(built_schedule, "milestones", ()))
    except (RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error


def _clip(built: OptimWrapper) -> None:
    if built.clip_grad_kwargs:
        weight = nn.Parameter(torch.zeros(1))
        weight.grad = torch.ones(1)
        built.clip_func([weight], **built.clip_grad_kwargs)


def _check_milestones(milestones: Iterable[object]) -> None:
    """Check what a schedule compares with its steps: another type would be no step of all."""
    for milestone in milestones:
        if type(milestone) is not int:
            raise TypeError(f"milestone {milestone!r} is no whole number")
