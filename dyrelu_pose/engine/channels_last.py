"""Run a model in the memory format that convolutions are fastest in."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Turn the model's weights to channels_last, and with them every feature map.

    Worth it where depthwise convolutions dominate, on a CPU above all.
    """

    def before_train(self, runner: Runner) -> None:
        """Convert the weights, which are loaded by now."""
        # torch describes this call, but leaves it out of its type hints.
        runner.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    before_val = before_test = before_train
