"""The arithmetic of DyReLU and of its gradients: one function per pass over a feature map.

A feature map is a stack of matrices: x is (N, C, P) where `channel` is 1, or (N, P, C) where it is
2, which is how channels_last lies in memory. `coef` holds K slopes, then K intercepts, each of
which broadcasts against x. Half-precision maps are computed in the coefficients' float32 and
rounded once. Whole maps, tiles and a compiler are all served by these; README.md derives them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


def spread(x: Tensor, mean: Tensor, channel: int) -> Tensor:
    """Return the sum of squares of every plane around its mean, in the dtype of `mean`."""
    return (x.to(mean.dtype) - mean).square_().sum(3 - channel, keepdim=True)


def apply(
    x: Tensor, coef: Sequence[Tensor], pi: Tensor | None, out: Tensor | None, inplace: bool
) -> Tensor:
    """Return pi max_k (a_k x + b_k), computed in `out` if there is one; no `pi` counts as 1.

    With `inplace` the result is written to `x`, which cannot be `out`: every branch reads it.
    """
    y = _maximum(x.to(coef[0].dtype), coef, out)
    if pi is not None:
        y.mul_(pi)
    return x.copy_(y) if inplace else y


def reduce(
    x: Tensor, coef: Sequence[Tensor], pi: Tensor | None, grad: Tensor, channel: int
) -> tuple[list[Tensor], Tensor | None]:
    """Return the gradients of the coefficients (over positions) and of `pi` (over channels)."""
    x, grad = x.to(coef[0].dtype), grad.to(coef[0].dtype)
    grad_pi = None
    if pi is not None:
        grad_pi = (grad * _maximum(x, coef)).sum(channel, keepdim=True)
        grad = grad * pi
    falls = _falls(x, coef, grad)
    slopes = [(fall * x).sum(3 - channel, keepdim=True) for fall in falls]
    intercepts = [fall.sum(3 - channel, keepdim=True) for fall in falls]
    return _differences(slopes) + _differences(intercepts), grad_pi


def grad_input(
    x: Tensor,
    coef: Sequence[Tensor],
    pi: Tensor | None,
    grad: Tensor,
    shift: Tensor | None,
    slope: Tensor | None,
    outer: tuple[Tensor, Tensor] | None,
    out: Tensor | None,
) -> Tensor:
    """Return pi grad a_winner + slope x + shift + outer product, in `out` if there is one.

    Args:
        x: Input of the forward pass.
        coef: K slopes, then K intercepts.
        pi: Spatial map, or None.
        grad: Gradient of the output.
        shift: Gradient that reaches a whole plane alike, through its mean, or None.
        slope: What batch normalization takes back in proportion to x, or None.
        outer: Gradient of the spatial map's logits and the channels' weights in them, or None.
        out: Where to compute, or None for a new tensor.
    """
    x, grad = x.to(coef[0].dtype), grad.to(coef[0].dtype)
    if pi is not None:
        grad = grad * pi
    slopes = coef[: len(coef) // 2]
    steps = [a - b for a, b in zip(slopes, slopes[1:], strict=False)] + [slopes[-1]]
    terms = list(zip(_falls(x, coef, grad), steps, strict=True))
    if slope is not None:
        terms.append((x, slope))
    if outer is not None:
        terms.append(outer)
    total = _affine(*terms[0], shift, out)
    for term in terms[1:]:
        total = _affine(*term, total, total)
    return total


def _maximum(x: Tensor, coef: Sequence[Tensor], out: Tensor | None = None) -> Tensor:
    k = len(coef) // 2
    y = _affine(x, coef[0], coef[k], out)
    for slope, intercept in zip(coef[1:k], coef[k + 1 :], strict=True):
        y = torch.maximum(y, _affine(x, slope, intercept), out=out)
    return y


def _falls(x: Tensor, coef: Sequence[Tensor], grad: Tensor) -> list[Tensor]:
    """Return, for k = 0 to K - 1, what of `grad` falls to branch k or to one before it.

    The last of the maximal branches takes it, so it falls below k where an earlier one is strictly
    higher. Differences of these are the branches' shares; nothing needs a mask of its own.
    """
    falls = [grad]
    for gap in reversed(_gaps(x, coef)):
        falls.append(torch.ops.aten.threshold_backward(falls[-1], gap, 0))  # 0 where gap <= 0
    return falls[::-1]


def _gaps(x: Tensor, coef: Sequence[Tensor]) -> list[Tensor]:
    """Return, for k = 1 to K - 1, how far the best branch before k lies above branch k."""
    k = len(coef) // 2
    if k == 2:  # one pass where the general way takes three
        return [_affine(x, coef[0] - coef[1], coef[2] - coef[3])]
    top = _affine(x, coef[0], coef[k])
    gaps = []
    for slope, intercept in zip(coef[1:k], coef[k + 1 :], strict=True):
        branch = _affine(x, slope, intercept)
        gaps.append(top - branch)
        top = torch.maximum(top, branch)
    return gaps


def _differences(sums: list[Tensor]) -> list[Tensor]:
    """Turn sums over the branches up to k into the sums of each branch."""
    return sums[:1] + [upper - lower for lower, upper in zip(sums, sums[1:], strict=False)]


def _affine(
    x: Tensor, slope: Tensor, intercept: Tensor | None, out: Tensor | None = None
) -> Tensor:
    """Return x slope + intercept, in `out` if there is one; `intercept` may be `out`."""
    if intercept is None:
        return torch.mul(x, slope, out=out)
    if slope.shape[-1] == x.shape[-1]:  # channels innermost: one vectorized pass
        return torch.addcmul(intercept, x, slope, out=out)
    if intercept is out:
        return intercept.add_(x * slope)
    return torch.mul(x, slope, out=out).add_(intercept)
