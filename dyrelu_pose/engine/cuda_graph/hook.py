"""The hook that lets a training replay its step."""

from typing import cast

from mmengine.hooks import EMAHook, Hook
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from dyrelu_pose.errors import UserError

from .average import GraphedAverage, is_capturable
from .graphs import Graphs
from .optimizer import make_capturable
from .refusals import reasons_against
from .step import GraphedStep


@HOOKS.register_module()
class CudaGraphHook(Hook):
    """Capture the training step in CUDA graphs, and replay it for every batch of the same shape.

    Forward pass and losses are launched at once, and so are scaling, backward pass, clipping and
    optimizer, and EMA. The rest is as without this hook: preprocessing, validation, checkpoints,
    logs, schedules of the learning rate. Adam, AdamW and SGD are PyTorch's fused ones. MMPose's
    accuracy (`acc_pose`) is not computed, since that is done on the host. `tools/train.py
    --cuda-graph` adds this hook.

    Args:
        warmup: Steps of a shape that run eagerly before it is captured.

    Raises:
        UserError: There is no CUDA GPU; or, when training begins, the config asks for what cannot
            be captured.
        CaptureError: The model does what cannot be captured.
    """

    priority = "NORMAL"  # before NonFiniteLossHook, which checks the loss in front of the update

    def __init__(self, warmup: int = 3) -> None:
        self.warmup, self.graphs = warmup, Graphs()

    def before_train(self, runner: Runner) -> None:
        """Put the replays in the place of the step."""
        for reason in reasons_against(runner):
            raise UserError(
                f"CudaGraphHook (--cuda-graph) cannot capture this training: {reason}. Change "
                "that, or leave the hook out"
            )
        # No configs any more, and of these kinds: everything else was refused.
        model, wrapper = cast(BaseModel, runner.model), cast(OptimWrapper, runner.optim_wrapper)
        make_capturable(wrapper.optimizer)
        _leave_accuracy_out(model)
        self.replaying = [
            GraphedStep(model, wrapper, self.graphs, self.warmup),
            *(
                GraphedAverage(hook.ema_model, self.graphs)
                for hook in runner.hooks
                if isinstance(hook, EMAHook) and is_capturable(hook.ema_model)
            ),
        ]

    def after_train(self, runner: Runner) -> None:
        """Let go of the graphs."""
        for replaying in self.replaying:
            replaying.release()


def _leave_accuracy_out(model: BaseModel) -> None:
    options = vars(model)
    if hasattr(model, "head") and "train_cfg" in options:
        options["train_cfg"] = {**(options["train_cfg"] or {}), "compute_acc": False}
        print_log(
            "CudaGraphHook: acc_pose is left out of the log, MMPose computes it on the host",
            logger="current",
        )
