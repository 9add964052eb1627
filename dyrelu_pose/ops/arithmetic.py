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
    grad, grad_pi = _through_map(x, coef, pi, grad, channel)
    return _grad_coef(x, _falls(x, coef, grad), channel), grad_pi


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
    terms = list(zip(_falls(x, coef, grad), _steps(coef), strict=True))
    if slope is not None:
        terms.append((x, slope))
    if outer is not None:
        terms.append(outer)
    total = _affine(*terms[0], shift, out)
    for term in terms[1:]:
        total = _affine(*term, total, total)
    return total


def apply_sum(
    x: Tensor,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Sequence[Tensor],
    pi: Tensor | None,
    out: Tensor | None,
) -> Tensor:
    """Return pi max_k (a_k w + b_k) for w = t x + t_r r, computed in `out` if there is one."""
    return apply(_weighted_sum(x, t, r, t_r), coef, pi, out, inplace=False)


def reduce_sum(
    x: Tensor,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Sequence[Tensor],
    pi: Tensor | None,
    grad: Tensor,
    channel: int,
) -> tuple[list[Tensor], Tensor | None, Tensor, Tensor | None]:
    """Return what `reduce` does, of w, and sums over positions of what w gets.

    Through the maximum, times x; and times r, if there is a `t_r`.
    """
    w, grad = _weighted_sum(x, t, r, t_r), grad.to(coef[0].dtype)
    grad, grad_pi = _through_map(w, coef, pi, grad, channel)
    falls = _falls(w, coef, grad)

    def moment(of: Tensor) -> Tensor:
        sums = _sums(falls, channel, of.to(w.dtype))
        return torch.stack([a * b for a, b in zip(sums, _steps(coef), strict=True)]).sum(0)

    of_r = None if t_r is None else moment(r)
    return _grad_coef(w, falls, channel), grad_pi, moment(x), of_r


def grad_sum(
    x: Tensor,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Sequence[Tensor],
    pi: Tensor | None,
    grad: Tensor,
    shift: Tensor,
    back: tuple[Tensor, Tensor] | None,
    back_r: tuple[Tensor, Tensor] | None,
    outer: tuple[Tensor, Tensor] | None,
    out: tuple[Tensor, Tensor] | None,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of x and r, computed in `out` if that is there.

    Args:
        x: First summand.
        t: What it is multiplied by.
        r: Second summand.
        t_r: What that is multiplied by, or None.
        coef: K slopes, then K intercepts, of functions of the sum.
        pi: Spatial map, or None.
        grad: Gradient of the output.
        shift: Gradient that reaches a whole plane of the sum alike.
        back: What batch normalization takes back of x: slope and intercept, or None.
        back_r: The same of r.
        outer: As in `grad_input`, of the sum.
        out: Where to compute, or None for new tensors.
    """
    out_x, out_r = out or (None, None)
    w = _weighted_sum(x, t, r, t_r)
    whole = grad_input(w, coef, pi, grad, shift, None, outer, out_r if t_r is None else None)

    def through(t: Tensor, x: Tensor, back: tuple[Tensor, Tensor] | None, out: Tensor | None):
        slope, intercept = back or (None, None)
        total = _affine(whole, t, intercept, out)
        return total if slope is None else _affine(x.to(w.dtype), slope, total, total)

    grad_x = through(t, x, back, out_x)
    return grad_x, whole if t_r is None else through(t_r, r, back_r, out_r)


def _through_map(
    x: Tensor, coef: Sequence[Tensor], pi: Tensor | None, grad: Tensor, channel: int
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of the maximum, and of `pi` (over channels), from that of y."""
    if pi is None:
        return grad, None
    return grad * pi, (grad * _maximum(x, coef)).sum(channel, keepdim=True)


def _weighted_sum(x: Tensor, t: Tensor, r: Tensor, t_r: Tensor | None) -> Tensor:
    x, r = x.to(t.dtype), r.to(t.dtype)
    return _affine(x, t, r if t_r is None else r * t_r)


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


def _steps(coef: Sequence[Tensor]) -> list[Tensor]:
    """Return by how much each slope exceeds the next, or 0: what a fall to it adds."""
    slopes = coef[: len(coef) // 2]
    return [a - b for a, b in zip(slopes, slopes[1:], strict=False)] + [slopes[-1]]


def _grad_coef(x: Tensor, falls: Sequence[Tensor], channel: int) -> list[Tensor]:
    """Return the gradients of the coefficients of x."""
    return _differences(_sums(falls, channel, x)) + _differences(_sums(falls, channel))


def _sums(maps: Sequence[Tensor], channel: int, times: Tensor | None = None) -> list[Tensor]:
    """Return sums over positions, of products with `times` if there is one."""
    return [(m if times is None else m * times).sum(3 - channel, keepdim=True) for m in maps]


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
