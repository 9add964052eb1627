"""DyReLU of a batch-normalized input, with the normalization folded into the coefficients.

Normalization is affine per channel, u = t x + v, so the branches of u are branches of x, and the
mean of u follows from that of x. One pass yields batch statistics and pooling together, and the
gradient that passes through the statistics is affine in x: it is added where the gradient of the
maximum is written. The logits of C's map are a weighted sum of x, too, with weights that need the
statistics: a pass of its own, and one in the backward pass. README.md derives it.
"""

import math

import torch
from torch import Tensor

from .backends import is_reference, passes_of, sites_of
from .given import shared
from .hyper import Hyper, Ranges
from .layer import dyrelu
from .norm import Norm, Running, affine
from .precision import compute_dtype, without_autocast
from .second_derivative import refuse_second_derivative
from .spatial import Spatial
from .statistics import statistics, through_statistics


def normalized_dyrelu(
    x: Tensor,
    norm: Norm,
    hyper: Hyper,
    ranges: Ranges,
    weight: Tensor | None = None,
    spatial: Spatial | None = None,
    backend: str = "auto",
    running: Running | None = None,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Compute DyReLU-A, -B or (with `weight`) -C of the batch-normalized x.

    Args:
        x: Input of the normalization, (N, C, *), floating point; channels_last is kept.
        norm: The normalization.
        hyper: Weights of the hyper function.
        ranges: K and the ranges of the coefficients.
        weight: Weights of the spatial map's 1x1 convolution, for C: C elements.
        spatial: Constants of the spatial map, for C.
        backend: As for `dyrelu_given`.
        running: Running statistics that those of the batch go into.

    Returns:
        (N, C, *) in the dtype of `x`, and the mean and the biased variance (C,) that it was
        normalized with, or None for them where they have gone into `running`. Differentiable once,
        but for the reference.
    """
    sites = sites_of(backend, x)
    if sites is not None and weight is None:
        found = sites.normalized_dyrelu(x, norm, hyper, ranges, running)
        if found is not None:
            return found
    dtype = compute_dtype(x)
    norm, hyper = norm.to(dtype), hyper.to(dtype)
    weight = None if weight is None else weight.flatten().to(dtype)
    with without_autocast(x):
        if is_reference(backend):
            u, mean, variance = norm.normalize(x.to(dtype))
            y = dyrelu(u, hyper, ranges, weight, spatial, "reference").to(x.dtype)
            mean, variance = mean.detach(), variance.detach()
        else:
            y, mean, variance = _NormalizedDyReLU.apply(
                x, *norm, *hyper, weight, ranges, spatial, backend
            )
    if running is not None:
        running.take(mean, variance, x.numel() // x.shape[1])
        return y, None, None
    return y, mean, variance


def _fold(coef: Tensor, t: Tensor, v: Tensor) -> Tensor:
    """Turn coefficients of u (N, C or 1, 2K) into those of x, (N, C, 2K), in memory (N, 2K, C)."""
    a, b = coef.mT.chunk(2, 1)
    return torch.cat([a * t, torch.addcmul(b, a, v)], 1).mT


class _NormalizedDyReLU(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, x, weight, bias, mean, variance, eps, w1, b1, w2, b2, of_map, ranges, spatial, backend
    ):
        passes = passes_of(backend, x)
        ctx.options = ranges, spatial, backend, mean is None
        norm = Norm(weight, bias, mean, variance, eps)
        means, mean, variance = statistics(norm, x, passes)
        rstd = torch.rsqrt(variance + eps)
        t, v = affine(weight, bias, mean, rstd)
        hyper = Hyper(w1, b1, w2, b2)
        hidden, delta, coef = passes.hyper_forward(means * t + v, hyper, ranges)
        q = pi = None
        if of_map is not None:
            q = spatial.softmax(passes.pool(x, of_map * t)[1])  # it does not see sum(of_map v)
            pi = spatial.map(q)
        ctx.save_for_backward(
            x, weight, bias, mean, rstd, means, hidden, delta, of_map, q, w1, b1, w2, b2
        )
        ctx.mark_non_differentiable(mean, variance)
        return passes.apply(x, _fold(coef, t, v), pi), mean, variance

    @staticmethod
    def backward(ctx, grad, *_):
        refuse_second_derivative()
        x, weight, bias, mean, rstd, means, hidden, delta, of_map, q, *hyper = ctx.saved_tensors
        ranges, spatial, backend, of_batch = ctx.options
        passes = passes_of(backend, x)
        t, v = affine(weight, bias, mean, rstd)
        coef = ranges.place(delta)
        folded = _fold(coef, t, v)
        pi = None if q is None else spatial.map(q)

        grad_coef, grad_pi = passes.reduce(x, folded, pi, grad)
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
        outer = grad_of_map = None
        if q is not None:
            grad_z = spatial.backward(grad_pi, q)
            # Sums over samples and positions of dz, 0 but for rounding, and of dz x.
            rest, of_x = grad_z.sum(), passes.plane_sums(x, grad_z).sum(0)
            total, moment = total + of_map * rest, moment + of_map * of_x
            grad_of_map = of_x * t + v * rest
            outer = grad_z, of_map * t
        grad_weight = (moment - mean * total) * rstd

        grad_x = None
        if ctx.needs_input_grad[0]:
            positions = math.prod(x.shape[2:])
            grad_mean, slope = grad_s * t, None
            if of_batch:
                slope, shift = through_statistics(
                    t, mean, rstd, grad_weight, total, len(x) * positions
                )
                grad_mean = grad_mean + shift * positions
            grad_x, _ = passes.grad_input(x, folded, pi, grad, grad_mean, slope, outer)
        grad_norm = (
            None if weight is None else grad_weight,
            None if bias is None else total,
        )
        return grad_x, *grad_norm, *(None,) * 3, *grad_hyper, grad_of_map, *(None,) * 3
