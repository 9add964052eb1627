"""What keeps a training from being captured."""

from collections.abc import Iterator
from typing import cast

from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner

from dyrelu_pose.errors import article

from .optimizer import way_to_capture


def reasons_against(runner: Runner) -> Iterator[str]:
    """Say why a training that is about to begin cannot be captured, as far as that is known."""
    model, wrapper = runner.model, runner.optim_wrapper
    if is_model_wrapper(model):
        yield f"{type(model).__name__} exchanges gradients between processes"
        return
    if runner.cfg.get("compile"):
        yield "compile is on, which launches kernels in its own way"
    if getattr(type(model), "train_step", None) is not BaseModel.train_step:
        yield f"{type(model).__name__} has a train_step of its own"
    for hook in runner.hooks:
        if "ModeSwitch" in type(hook).__name__:
            yield f"{type(hook).__name__} changes the model while it trains"
    if isinstance(wrapper, OptimWrapper) and type(wrapper) in (OptimWrapper, AmpOptimWrapper):
        yield from _reasons_against_optimizer(wrapper)
        for schedule in cast(list, runner.param_schedulers or []):
            if schedule.param_name != "lr":
                yield f"param_scheduler {type(schedule).__name__} changes {schedule.param_name}"
    else:
        kind = article(type(wrapper).__name__)
        yield f"optim_wrapper is {kind}, not OptimWrapper or AmpOptimWrapper"


def _reasons_against_optimizer(wrapper: OptimWrapper) -> Iterator[str]:
    name, way = type(wrapper.optimizer).__name__, way_to_capture(wrapper.optimizer)
    if way is None:
        yield f"optimizer {name} is neither fused nor capturable"
    elif way != "fused" and isinstance(wrapper, AmpOptimWrapper):
        yield (
            f"with mixed precision, optimizer {name} decides on the host whether to step, unlike "
            "Adam, AdamW and SGD"
        )
    if wrapper._accumulative_counts > 1:
        yield f"optim_wrapper.accumulative_counts={wrapper._accumulative_counts} needs other steps"
