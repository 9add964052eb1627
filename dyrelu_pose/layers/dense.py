"""The weights of a fully connected layer, which a parent's `init_weights` leaves alone."""

import math

import torch
from torch import nn


class Dense(nn.Module):
    """Holds W and b of y = x W^T + b, initialized as `nn.Linear` is; `ops` computes with them.

    It is not an `nn.Linear` (nor the ports' 1x1 `nn.Conv2d`) because backbones and heads of MMPose
    re-initialize every module of those classes below them.

    Args:
        inputs: Width of the input.
        outputs: Width of the output.
        bias: Whether there is an additive term.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__()
        self.inputs = inputs
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and bias from U(-1 / sqrt(inputs), 1 / sqrt(inputs))."""
        bound = 1 / math.sqrt(self.inputs)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the widths."""
        return f"{self.inputs}, {self.weight.shape[0]}"
