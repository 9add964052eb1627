"""Check that the optimizer and its schedules can be built, before anything is written."""

import copy

from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from dyrelu_pose.errors import described

from .errors import ConfigError, expect
from .files import listed
from .quiet import quietly


@quietly()
def check_optimizer(cfg: Config, model: nn.Module) -> None:
    """Build the optimizer of a config for a model, and its schedules, and throw them away.

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
        for number, schedule in enumerate(listed(cfg.get("param_scheduler"))):
            key = f"param_scheduler.{number}"
            schedule = copy.deepcopy(expect(schedule, dict, key))
            schedule.pop("convert_to_iter_based", None)  # which needs the length of an epoch
            PARAM_SCHEDULERS.build(schedule, default_args=dict(optimizer=built))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error
