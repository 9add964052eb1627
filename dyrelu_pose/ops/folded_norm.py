"""DyReLU-A or -B of a batch-normalized input, with the normalization folded into the coefficients.

Normalization is affine per channel, u = t x + v, so the branches of u are branches of x, and the
mean of u follows from that of x. One pass yields batch statistics and pooling together, and the
gradient that passes through the statistics is affine in x: it is added where the gradient of the
maximum is written. README.md derives it.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from .backends import is_traced, passes_of
from .given import refuse_second_derivative, shared
from .hyper import Hyper, Ranges
from .layer import dyrelu
from .precision import compute_dtype, without_autocast


class Norm(NamedTuple):
    """A batch normalization of C channels: weights, fixed statistics if any, and epsilon."""

    weight: Tensor | None
    bias: Tensor | None
    mean: Tensor | None  # None: those of the batch
    variance: Tensor | None
    eps: float


def normalized_dyrelu(
    x: Tensor, norm: Norm, hyper: Hyper, ranges: Ranges, backend: str = "auto"
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute DyReLU-A or -B of the batch-normalized x.

    Args:
        x: Input of the normalization, (N, C, *), floating point; its memory format is kept.
        norm: The normalization.
        hyper: Weights of the hyper function.
        ranges: K and the ranges of the coefficients.
        backend: As for `dyrelu_given`.

    Returns:
        (N, C, *) in the dtype of `x`, and the mean and the biased variance (C,) that it was
        normalized with. Differentiable once, but for the reference.
    """
    dtype = compute_dtype(x)
    weight, bias, mean, variance = (None if t is None else t.to(dtype) for t in norm[:4])
    with without_autocast(x):
        if backend == "reference" or is_traced():
            u, mean, variance = _normalize(x.to(dtype), weight, bias, mean, variance, norm.eps)
            y = dyrelu(u, hyper, ranges, backend="reference").to(x.dtype)
            return y, mean.detach(), variance.detach()
        return _NormalizedDyReLU.apply(
            x, weight, bias, mean, variance, *hyper.to(dtype), norm.eps, ranges, backend
        )


def _normalize(
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor | None,
    variance: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the normalized x, and the mean and variance it was normalized with."""
    if mean is None or variance is None:  # they come together
        mean = x.transpose(0, 1).flatten(1).mean(1)
        variance = x.transpose(0, 1).flatten(1).var(1, correction=0)
    t, v = _affine(weight, bias, mean, torch.rsqrt(variance + eps))
    shape = (-1, *(1,) * (x.dim() - 2))
    return x * t.view(shape) + v.view(shape), mean, variance


def _affine(
    weight: Tensor | None, bias: Tensor | None, mean: Tensor, rstd: Tensor
) -> tuple[Tensor, Tensor]:
    """Return t and v of u = t x + v, each (C,)."""
    t = rstd if weight is None else weight * rstd
    return t, -mean * t if bias is None else bias - mean * t


def _fold(coef: Tensor, t: Tensor, v: Tensor) -> Tensor:
    """Turn coefficients of u (N, C or 1, 2K) into those of x, (N, C, 2K), in memory (N, 2K, C)."""
    a, b = coef.mT.chunk(2, 1)
    return torch.cat([a * t, torch.addcmul(b, a, v)], 1).mT


class _NormalizedDyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, mean, variance, w1, b1, w2, b2, eps, ranges, backend):
        passes = passes_of(backend, x)
        ctx.options = ranges, backend, mean is None
        if mean is None:
            means, variances = passes.moments(x)  # of planes
            mean = means.mean(0)
            variance = (variances + (means - mean).square()).mean(0)
        else:
            means, _ = passes.pool(x, None)
        rstd = torch.rsqrt(variance + eps)
        t, v = _affine(weight, bias, mean, rstd)
        hyper = Hyper(w1, b1, w2, b2)
        hidden, delta, coef = passes.hyper_forward(means * t + v, hyper, ranges)
        ctx.save_for_backward(x, weight, bias, mean, rstd, means, hidden, delta, w1, b1, w2, b2)
        ctx.mark_non_differentiable(mean, variance)
        return passes.apply(x, _fold(coef, t, v), None), mean, variance

    @staticmethod
    def backward(ctx, grad, *_):
        refuse_second_derivative()
        x, weight, bias, mean, rstd, means, hidden, delta, *hyper = ctx.saved_tensors
        ranges, backend, of_batch = ctx.options
        passes = passes_of(backend, x)
        t, v = _affine(weight, bias, mean, rstd)
        coef = ranges.place(delta)
        folded = _fold(coef, t, v)

        grad_coef, _ = passes.reduce(x, folded, None, grad)
        grad_a, grad_b = grad_coef.mT.chunk(2, 1)  # (N, K, C) each
        a = coef.mT[:, : ranges.k]
        # Sums over positions of f a and of f a x, both (N, C).
        total, moment = (a * grad_b).sum(1), (a * grad_a).sum(1)
        grad_a.mul_(t).addcmul_(grad_b, v)
        grad_s, grad_hyper = passes.hyper_backward(
            shared(grad_coef, coef), means * t + v, hidden, delta, Hyper(*hyper), ranges
        )
        # Sums over samples and positions of g = du and of g x, both (C,).
        total = (total + grad_s).sum(0)
        moment = moment.addcmul_(grad_s, means).sum(0)
        grad_weight = (moment - mean * total) * rstd

        grad_x = None
        if ctx.needs_input_grad[0]:
            positions = math.prod(x.shape[2:])
            grad_mean, slope = grad_s * t, None
            if of_batch:
                slope = t * grad_weight * (-rstd / (len(x) * positions))
                grad_mean = grad_mean - (t * total / len(x) + slope * mean * positions)
            grad_x, _ = passes.grad_input(x, folded, None, grad, grad_mean, slope)
        grad_norm = (
            None if weight is None else grad_weight,
            None if bias is None else total,
        )
        return grad_x, *grad_norm, None, None, *grad_hyper, None, None, None
