"""Feature maps as planes: N samples, C channels and P positions with one stride each."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Planes(NamedTuple):
    """A map (N, C, P) by its strides, for kernels to read and write."""

    tensor: Tensor
    shape: tuple[int, int, int]
    strides: tuple[int, int, int]

    @property
    def channels_inner(self) -> bool:
        """Whether neighbours in memory are channels of one position, as in channels_last."""
        _, channels, positions = self.shape
        return positions == 1 or (channels > 1 and self.strides[1] < self.strides[2])


def planes(x: Tensor) -> Planes:
    """View a map (N, C, *) as planes; a contiguous copy if its positions have no single stride."""
    stride = _stride_of_positions(x)
    if stride is None:
        x, stride = x.contiguous(), 1
    shape = (x.shape[0], x.shape[1], math.prod(x.shape[2:]))
    return Planes(x, shape, (x.stride(0), x.stride(1), stride))


def planes_in_order_of(x: Planes, other: Tensor) -> Planes:
    """View a map of the same shape as `x`, copied into the order of `x` if it has another one.

    Read across its order, it would cost several times the bytes of a copy. Broadcast maps (a stride
    of 0, which the gradient of a sum has) are in any order.
    """
    view = planes(other)
    if 0 in view.strides[1:] or view.channels_inner == x.channels_inner:
        return view
    return planes(empty_like(x.tensor).copy_(other))


def empty_like(x: Tensor) -> Tensor:
    """Return an unwritten map with the order of `x`, without gaps, whose positions have one stride.

    Strides that are contiguous or channels_last are kept as they are.
    """
    if is_dense(x):
        return torch.empty_like(x)
    view = planes(x)
    if not view.channels_inner:
        return x.new_empty(x.shape)
    last = x.new_empty(x.shape[0], *x.shape[2:], x.shape[1])
    return last.movedim(-1, 1)


def is_dense(x: Tensor) -> bool:
    """Return whether a map is contiguous, or so as channels_last."""
    return x.is_contiguous() or (
        x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    )


def _stride_of_positions(x: Tensor) -> int | None:
    """Return the stride from one position to the next, or None if there is no single one."""
    stride = step = None
    for size, each in zip(reversed(x.shape[2:]), reversed(x.stride()[2:]), strict=True):
        if size == 1:
            continue
        if stride is None:
            stride = each
        elif each != step:
            return None
        step = each * size
    return 1 if stride is None else stride
