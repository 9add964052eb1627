"""The moving average of the weights, from a graph of its own."""

from collections.abc import Callable

import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from .graphs import Graphs

WARMUP = 2  # the first call copies, the second one averages


class GraphedAverage:
    """Stands in for `update_parameters` of an average: replays what it does from the third call on.

    Args:
        average: One that `is_capturable`.
        graphs: What captures.
    """

    def __init__(self, average: ExponentialMovingAverage, graphs: Graphs) -> None:
        self._average, self._graphs = average, graphs
        self._eagerly = average.update_parameters
        self._calls = 0
        self._replay: Callable[[], None] | None = None
        average.update_parameters = self

    def release(self) -> None:
        """Give the average its own method back."""
        del self._average.update_parameters
        self._replay = None

    def __call__(self, model: nn.Module) -> None:
        """Update the average once from the weights of a model, always the same one."""
        if self._calls < WARMUP:
            self._calls += 1
            self._eagerly(model)
            return
        if self._replay is None:
            self._replay = self._graphs.capture(lambda: self._update(model))
        self._replay()
        self._average.steps += 1

    @torch.no_grad()
    def _update(self, model: nn.Module) -> None:
        """Do what MMEngine does, without its look at the number of steps."""
        average = self._average
        weights = model.state_dict() if average.update_buffers else dict(model.named_parameters())
        for name, mean in average.avg_parameters.items():
            if mean.dtype.is_floating_point:
                average.avg_func(mean.data, weights[name].data, average.steps)
        if not average.update_buffers:
            for theirs, ours in zip(average.module.buffers(), model.buffers(), strict=True):
                theirs.copy_(ours)


def is_capturable(average: nn.Module) -> bool:
    """Whether an average does the same in each step; others are left to run eagerly."""
    return type(average) is ExponentialMovingAverage and average.interval == 1
