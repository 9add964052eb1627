"""The arithmetic of DyReLU and of its gradients on tensors that broadcast against each other.

It serves whole tensors and tiles of them alike. Half-precision inputs are computed in the
coefficients' float32 and rounded once. Masks are floats of 0 and 1, which CPUs multiply several
times faster than bools.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def forward(
    x: Tensor, slopes: Sequence[Tensor], intercepts: Sequence[Tensor], pi: Tensor | None
) -> Tensor:
    """Return pi max_k (slopes[k] x + intercepts[k]) in the dtype of `x`; no `pi` counts as 1."""
    wide = x.to(slopes[0].dtype)
    y = _affine(wide, slopes[0], intercepts[0])
    for slope, intercept in zip(slopes[1:], intercepts[1:], strict=True):
        y = torch.maximum(y, _affine(wide, slope, intercept))
    if pi is not None:
        y = y * pi
    return y.to(x.dtype)


def backward(
    x: Tensor,
    slopes: Sequence[Tensor],
    intercepts: Sequence[Tensor],
    pi: Tensor | None,
    grad: Tensor,
    positions: tuple[int, ...],
    channel: int,
) -> tuple[Tensor, list[Tensor], list[Tensor], Tensor | None]:
    """Return the gradients of `x`, of each slope and intercept, and of `pi`.

    Args:
        x: Input of the forward pass.
        slopes: K tensors that broadcast against `x`.
        intercepts: As `slopes`.
        pi: Spatial map that broadcasts against `x`, or None.
        grad: Gradient of the output, shaped as `x`.
        positions: Dimensions that a channel's coefficients are shared over; kept with size 1.
        channel: Dimension that `pi` is shared over; kept with size 1.
    """
    dtype = x.dtype
    x, grad = x.to(slopes[0].dtype), grad.to(slopes[0].dtype)
    top = _affine(x, slopes[0], intercepts[0])
    wins = []  # wins[k - 1]: 1 where branch k reaches the maximum of the branches before it
    for k in range(1, len(slopes)):
        branch = _affine(x, slopes[k], intercepts[k])
        needed = pi is not None or k < len(slopes) - 1
        higher = torch.maximum(top, branch) if needed else None
        wins.append(branch.ge_(top))
        top = higher

    grad_pi = None
    if pi is not None:
        grad_pi = (grad * top).sum(channel, keepdim=True)
        grad = grad * pi

    # From the last branch down: what a branch wins is lost to those before it.
    grad_x, grad_slopes, grad_intercepts = None, [], []
    for k in range(len(slopes) - 1, -1, -1):
        share = grad * wins[k - 1] if k else grad
        grad = grad - share if k else None
        grad_x = share * slopes[k] if grad_x is None else _affine(share, slopes[k], grad_x)
        grad_intercepts.append(_sum(share, positions))
        grad_slopes.append(_sum(share * x, positions))
    return grad_x.to(dtype), grad_slopes[::-1], grad_intercepts[::-1], grad_pi


def _affine(x: Tensor, slope: Tensor, intercept: Tensor) -> Tensor:
    """Return x slope + intercept; one pass where CPUs vectorise it, channels being innermost."""
    if slope.shape[-1] == x.shape[-1]:
        return torch.addcmul(intercept, x, slope)
    return (x * slope).add_(intercept)


def _sum(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    return x.sum(dims, keepdim=True) if dims else x
