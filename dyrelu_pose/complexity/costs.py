"""Multiply-adds of activation layers that compute more than a fixed function of each element."""

import math
from collections.abc import Sequence
from functools import singledispatch
from typing import NamedTuple

from torch import nn

from dyrelu_pose.layers import DyReLU, DyReLUC, Maxout, SEReLU

SOFTMAX = 4  # per position: scaling and shift, exponential, sum, division


class Cost(NamedTuple):
    """Multiply-adds of a layer for one image; an addition or a product alone counts as one.

    Attributes:
        pool: Means over positions: one addition per element.
        hyper: The matrices of the function of those means.
        spatial: The map of DyReLU-C: its 1x1 convolution, its softmax, and the product with it.
        apply: What each element passes through: K slopes and intercepts, or a gate.
    """

    pool: int = 0
    hyper: int = 0
    spatial: int = 0
    apply: int = 0


@singledispatch
def own_cost(layer: nn.Module, shape: Sequence[int]) -> Cost:
    """Return what an activation layer costs for one image, as the convention of `madds.py` has it.

    Biases, and the sigmoids of a hyper function, are free. A class of one's own joins by
    `@own_cost.register`.

    Args:
        layer: An activation.
        shape: Shape of its input, (N, C, *), or (N, *, C) for a DyReLU that takes channels last.

    Raises:
        TypeError: It is not of a class whose cost is known: see `has_own_cost`.

    Example:
        >>> from dyrelu_pose.layers import DyReLUB
        >>> own_cost(DyReLUB(channels=8, reduction=4), (1, 8, 5, 3))
        Cost(pool=120, hyper=80, spatial=0, apply=240)
    """
    raise TypeError(f"the cost of {type(layer).__name__} is not known")


def has_own_cost(layer: nn.Module) -> bool:
    """Whether `layer` is an activation that `own_cost` knows."""
    return own_cost.dispatch(type(layer)) is not own_cost.dispatch(object)


@own_cost.register
def _dyrelu(layer: DyReLU, shape: Sequence[int]) -> Cost:
    elements = math.prod(shape[1:])
    hyper = layer.fc1.weight.numel() + layer.fc2.weight.numel()
    return Cost(pool=elements, hyper=hyper, apply=layer.ranges.k * elements)


@own_cost.register
def _dyrelu_c(layer: DyReLUC, shape: Sequence[int]) -> Cost:
    elements = math.prod(shape[1:])
    positions = elements // layer.spatial.weight.numel()
    return _dyrelu(layer, shape)._replace(spatial=2 * elements + SOFTMAX * positions)


@own_cost.register
def _squeeze_excite(layer: SEReLU, shape: Sequence[int]) -> Cost:
    elements = math.prod(shape[1:])
    hyper = layer.fc1.weight.numel() + layer.fc2.weight.numel()
    return Cost(pool=elements, hyper=hyper, apply=elements)


@own_cost.register
def _maxout(layer: Maxout, shape: Sequence[int]) -> Cost:
    return Cost(apply=layer.weight.numel() * math.prod(shape[2:]))
