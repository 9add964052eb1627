"""Multiply-adds of a forward pass.

The convention of the papers on mobile networks: convolutions and matrix products count (half of
what `torch.utils.flop_counter` finds). Biases, batch normalisation (which folds into a
convolution), fixed activations, pooling and additions of maps are free. On top of it comes all that
a DyReLU, an SE + ReLU or a Maxout computes in the place of a free activation (`costs.py`), so that
none of them looks cheaper than it is: their means over positions count, one addition per element.
A norm that a DyReLU computes (`fuse_norm`) is as free as any other.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from .costs import has_own_cost, own_cost


def multiply_adds(
    model: nn.Module, input_size: tuple[int, int], forward: Callable[[nn.Module, Tensor], object]
) -> int:
    """Count the multiply-adds of a forward pass on one image in evaluation mode.

    Args:
        model: The model, a copy that is thrown away: its activations lose their function.
        input_size: Width and height of the input (W, H).
        forward: How to run it.
    """
    width, height = input_size
    own = 0

    def skip(layer: nn.Module) -> Callable[[Tensor], Tensor]:
        def count(x: Tensor) -> Tensor:
            nonlocal own
            own += sum(own_cost(layer, x.shape))
            return x

        return count

    for layer in model.modules():
        if has_own_cost(layer):
            layer.forward = skip(layer)  # or matrix products inside would be counted twice
    model.eval()  # a statement: the train() of MMPose's backbones returns None
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        forward(model, torch.zeros(1, 3, height, width))
    return counter.get_total_flops() // 2 + own
