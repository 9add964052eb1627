"""The weights of a fully connected layer, which a parent's `init_weights` leaves alone."""

import math

import torch
from torch import nn


class Weights(nn.Module):
    """Holds W of y = x W^T, initialized as `nn.Linear` is; `ops` computes with it.

    It is not an `nn.Linear` (nor the ports' 1x1 `nn.Conv2d`) because backbones and heads of MMPose
    re-initialize every module of those classes below them.

    Args:
        inputs: Width of the input.
        outputs: Width of the output.

    Attributes:
        zeroed: Whether it starts at 0 instead.
    """

    zeroed = False

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.inputs = inputs
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self._draw(self.weight)

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-1 / sqrt(inputs), 1 / sqrt(inputs)), or make them 0."""
        for parameter in self.parameters():
            self._draw(parameter)  # in any case: what is drawn next does not depend on `zeroed`
            if self.zeroed:
                nn.init.zeros_(parameter)

    def _draw(self, parameter: nn.Parameter) -> None:
        bound = 1 / math.sqrt(self.inputs)
        nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.inputs}, {self.weight.shape[0]}"


class Dense(Weights):
    """Holds W and b of y = x W^T + b; otherwise as `Weights`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.bias = nn.Parameter(torch.empty(outputs))
        self._draw(self.bias)
