"""What a training starts from: weights of which something fits, or a checkpoint of the same one."""

from collections.abc import Mapping

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import nn

from dyrelu_pose.compat.fit import Misfit, Written, counted, misfits, remedy, shortened
from dyrelu_pose.errors import UserError

from .launch import unwrapped

# What is newer than a checkpoint may be missing from its groups; the rates are what schedules set.
OPTIONAL = {"params", "lr", "foreach", "fused", "maximize", "capturable", "differentiable"}
DECOUPLED = "decoupled_weight_decay"  # all that tells AdamW from Adam


class ResumeError(UserError):
    """A training cannot go on from a checkpoint; the message says what does not fit."""


class ScheduleError(UserError):
    """A schedule is shorter than the training."""


@HOOKS.register_module()
class StartHook(Hook):
    """Say how much of `load_from` was loaded, and refuse what cannot be started from.

    Weights of which none fits the backbone (where there is none: the model) would leave a training
    to start from nothing. A training is resumed from a checkpoint that another one wrote with the
    same model and the same optimizer. `tools/train.py` adds it to every training; a runner that
    shards its model is left alone. A schedule that ends before the training does is refused, too.

    Raises:
        Misfit: No tensor of `load_from` fits.
        ScheduleError: A `OneCycleLR` by iterations has fewer steps than the training.
        ResumeError: The one to resume from is not that of a training, or is of another training.
    """

    priority = "VERY_HIGH"  # before EMAHook, which loads the weights into its own copy

    def __init__(self) -> None:
        self._loading: tuple[Written, dict] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check a checkpoint to resume from; or note what is there before weights are loaded."""
        if not isinstance(runner, Runner):
            return
        model = unwrapped(runner.model)
        if runner._resume:
            name = runner._load_from or f"in {runner.work_dir}"
            check_resumed(checkpoint, name, model, runner.optim_wrapper)
        else:
            self._loading = Written(model), checkpoint

    def before_train(self, runner: Runner) -> None:
        """Say how many tensors were loaded; check schedules, as the length is known by now."""
        check_one_cycles(runner)
        if self._loading is None:
            return
        written, checkpoint = self._loading
        self._loading, found = None, written()
        check_loaded(found, unwrapped(runner.model), checkpoint, f"load_from={runner._load_from}")
        print_log(f"load_from={runner._load_from}: {counted(found)}", logger="current")


def check_one_cycles(runner: Runner) -> None:
    """Check that each `OneCycleLR` by iterations lasts as long as the training.

    Raises:
        ScheduleError: One has no rate for the last iterations.
    """
    if not isinstance(runner, Runner) or not isinstance(runner.param_schedulers, list):
        return
    for number, schedule in enumerate(runner.param_schedulers):
        if isinstance(schedule, OneCycleParamScheduler) and not schedule.by_epoch:
            iterations = min(runner.max_iters, schedule.end) - schedule.begin
            if schedule.total_steps < iterations:
                raise ScheduleError(
                    f"param_scheduler.{number} of the config, OneCycleLR, ends after "
                    f"total_steps={schedule.total_steps}, and the training has {iterations} "
                    "iterations for it: make them the same, or give total_steps in epochs, with "
                    "by_epoch=True and convert_to_iter_based=True"
                )


def check_loaded(found: Mapping[str, bool], model: nn.Module, checkpoint: dict, name: str) -> None:
    """Check that the backbone, or a model without one, was given some of the weights to start from.

    Args:
        found: For each tensor of the model whether it was loaded.
        model: The model.
        checkpoint: What it was loaded from.
        name: What the message calls that.

    Raises:
        Misfit: It was given none.
    """
    backbone = [loaded for tensor, loaded in found.items() if tensor.startswith("backbone.")]
    if not any(backbone or found.values()):
        advice = remedy(model, checkpoint, sum(found.values()))
        raise Misfit(
            f"{name} does not fit the model: {counted(found)}; "
            + (advice or "it is of another model: leave it out to start without weights")
        )


def check_resumed(checkpoint: dict, filename: str, model: nn.Module, optim: object) -> None:
    """Check that a checkpoint is one of a training of the same model by the same optimizer.

    Args:
        checkpoint: Its content.
        filename: Its name, for the message.
        model: The model, which is given its weights.
        optim: The wrapper of the optimizer.

    Raises:
        ResumeError: It is not.
    """
    name = f"checkpoint {filename}"
    _check_training(checkpoint, name)
    _check_model(checkpoint, name, model)
    _check_optimizer(checkpoint["optimizer"], name, optim)


def _check_training(checkpoint: dict, name: str) -> None:
    missing = [
        part for part in ("state_dict", "optimizer", "message_hub") if part not in checkpoint
    ]
    meta = checkpoint.get("meta")
    counts = [meta.get(key) for key in ("epoch", "iter")] if isinstance(meta, dict) else [None]
    if not all(isinstance(count, int) for count in counts):
        missing.append("meta.epoch")
    if missing:
        raise ResumeError(
            f"{name} is not one that a training can be resumed from: it has no "
            f"{', '.join(missing)}; {_instead('its weights')}"
        )


def _check_model(checkpoint: dict, name: str, model: nn.Module) -> None:
    written = Written(model)
    lines = misfits(model, checkpoint)
    found = written()
    if lines or not all(found.values()):
        fresh = [key for key, loaded in found.items() if not loaded]
        lines = lines or [f"missing keys: {', '.join(fresh)}"]
        raise ResumeError(
            f"{name} is of another model (rules, widths): {counted(found)}; "
            f"{shortened(lines)}. Resume with the config of its training; {_instead('what fits')}"
        )


def _check_optimizer(saved: dict, name: str, wrapper: object) -> None:
    if not isinstance(wrapper, OptimWrapper) or isinstance(wrapper, OptimWrapperDict):
        return
    if "param_groups" not in saved:
        raise ResumeError(
            f"{name} is of several optimizers, or of none, and optim_wrapper makes one. "
            f"{_instead('its weights')}"
        )
    theirs, ours = saved["param_groups"], wrapper.optimizer.param_groups
    reason = None
    kinds = [_options(groups[0]) for groups in (theirs, ours)]
    if kinds[0] != kinds[1]:
        reason = f"another optimizer, with {_listed(*kinds)}, not {_listed(*kinds[::-1])}"
    elif _sizes(theirs) != _sizes(ours):
        reason = (
            f"an optimizer of {len(theirs)} groups of parameters, not of the {len(ours)} that "
            "optim_wrapper (constructor, paramwise_cfg) makes here"
        )
    if reason:
        raise ResumeError(
            f"{name} is of {reason}. Resume with the optim_wrapper of its training; "
            f"{_instead('its weights')}"
        )


def _instead(what: str) -> str:
    return f"to start anew from {what}, give the file as load_from, without --resume"


def _options(group: dict) -> set[str]:
    """Return the options that an optimizer's group has by the optimizer's kind."""
    names = {name for name in group if not name.startswith("initial_")} - OPTIONAL - {DECOUPLED}
    return names | ({DECOUPLED} if group.get(DECOUPLED) else set())


def _listed(options: set[str], others: set[str]) -> str:
    return " and ".join(sorted(options - others)) or "less"


def _sizes(groups: list[dict]) -> list[int]:
    return [len(group["params"]) for group in groups]
