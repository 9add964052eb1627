"""DyReLU of a residual sum, with the normalization of its branch computed as well.

The sum is u = t x + v + r, of a branch x that is batch-normalized and a shortcut r, which may be
so too. Its means follow from those of x and r, and every pass over the map adds it up again, so
that backward needs x and r alone: the input of the norm, and in most blocks that of the block,
which both are kept anyway. README.md derives it.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor

from .backends import is_reference, passes_of
from .given import shared
from .hyper import Hyper, Ranges
from .layer import dyrelu
from .norm import Norm, affine
from .passes import WeightedSum
from .precision import compute_dtype, without_autocast
from .second_derivative import refuse_second_derivative
from .spatial import Spatial
from .statistics import statistics, through_statistics


class Term(NamedTuple):
    """What is added up: a map (N, C, *), behind a normalization if there is one."""

    x: Tensor
    norm: Norm | None


def residual_dyrelu(
    branch: Term,
    shortcut: Term,
    hyper: Hyper,
    ranges: Ranges,
    weight: Tensor | None = None,
    spatial: Spatial | None = None,
    backend: str = "auto",
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Compute DyReLU-A, -B or (with `weight`) -C of the sum of a normalized branch and a shortcut.

    Args:
        branch: The branch, which has a norm; channels_last is kept.
        shortcut: The shortcut, of the same shape and dtype, with or without a norm.
        hyper: Weights of the hyper function.
        ranges: K and the ranges of the coefficients.
        weight: Weights of the spatial map's 1x1 convolution, for C: C elements.
        spatial: Constants of the spatial map, for C.
        backend: As for `dyrelu_given`.

    Returns:
        (N, C, *) in the dtype of the branch; and for each norm, the branch's first, the mean and
        the biased variance (C,) that it normalized with. Differentiable once, but for the
        reference.
    """
    x, r = branch.x, shortcut.x
    dtype = compute_dtype(x)
    norms = [None if norm is None else norm.to(dtype) for _, norm in (branch, shortcut)]
    hyper = hyper.to(dtype)
    weight = None if weight is None else weight.flatten().to(dtype)
    with without_autocast(x):
        if is_reference(backend):
            u, used = x.new_zeros((), dtype=dtype), []
            for term, norm in zip((x, r), norms, strict=True):
                term = term.to(dtype)
                if norm is not None:
                    term, mean, variance = norm.normalize(term)
                    used.append((mean.detach(), variance.detach()))
                u = u + term
            return dyrelu(u, hyper, ranges, weight, spatial, "reference").to(x.dtype), used
        tensors = [t for norm in norms for t in (norm or (None,) * 5)]
        y, *used = _ResidualDyReLU.apply(x, r, *tensors, *hyper, weight, ranges, spatial, backend)
    return y, list(zip(used[::2], used[1::2], strict=True))


class _Summand(NamedTuple):
    """A term of the sum as backward needs it: t x + v with t = weight rstd, or x itself."""

    means: Tensor  # of the planes, (N, C)
    weight: Tensor | None
    bias: Tensor | None
    mean: Tensor | None  # of the channels, (C,); None: not normalized
    rstd: Tensor | None

    @property
    def affine(self) -> tuple[Tensor | None, Tensor | None]:
        """Slope t and intercept v, (C,) each; None where it is not normalized."""
        if self.mean is None or self.rstd is None:
            return None, None
        return affine(self.weight, self.bias, self.mean, self.rstd)


def _pooled(summands: Sequence[_Summand]) -> Tensor:
    """Return the mean of every plane of the sum, (N, C)."""
    pooled = [
        term.means if t is None or v is None else term.means * t + v
        for term in summands
        for t, v in [term.affine]
    ]
    return pooled[0] + pooled[1]


def _weighted(x: Tensor, r: Tensor, summands: Sequence[_Summand]) -> tuple[WeightedSum, Tensor]:
    """Return the sum without what is constant in a channel, and that, (C,)."""
    (t, v), (t_r, v_r) = (term.affine for term in summands)
    assert t is not None  # the branch has a norm
    assert v is not None
    return WeightedSum(x, t, r, t_r), v if v_r is None else v + v_r


def _fold(coef: Tensor, v: Tensor) -> Tensor:
    """Turn coefficients of u = w + v, (N, C or 1, 2K), into those of w, (N, C, 2K)."""
    a, b = coef.mT.chunk(2, 1)
    return torch.cat([a.expand(-1, -1, len(v)), torch.addcmul(b, a, v)], 1).mT


class _ResidualDyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, r, *args):
        *tensors, of_map, ranges, spatial, backend = args
        norms, hyper = (tensors[:5], tensors[5:10]), Hyper(*tensors[10:])
        passes = passes_of(backend, x)
        summands, used = [], []
        for term, (weight, bias, mean, variance, eps) in zip((x, r), norms, strict=True):
            if eps is None:
                summands.append(_Summand(passes.pool(term, None)[0], None, None, None, None))
                continue
            norm = Norm(weight, bias, mean, variance, eps)
            means, mean, variance = statistics(norm, term, passes)
            summands.append(_Summand(means, weight, bias, mean, torch.rsqrt(variance + eps)))
            used += [mean, variance]
        ctx.of_batch = [fixed is None for _, _, fixed, _, _ in norms]
        ctx.options = ranges, spatial, backend
        hidden, delta, coef = passes.hyper_forward(_pooled(summands), hyper, ranges)
        total, v = _weighted(x, r, summands)
        q = pi = None
        if of_map is not None:
            z, z_r = (
                cast(Tensor, passes.pool(term, of_map if t is None else of_map * t)[1])
                for term, t in ((x, total.t), (r, total.t_r))
            )
            q = spatial.softmax(z + z_r)
            pi = spatial.map(q)
        ctx.save_for_backward(x, r, *summands[0], *summands[1], hidden, delta, of_map, q, *hyper)
        ctx.mark_non_differentiable(*used)
        return passes.apply_sum(total, _fold(coef, v), pi), *used

    @staticmethod
    def backward(ctx, grad, *_):
        refuse_second_derivative()
        x, r, *kept = ctx.saved_tensors
        summands = _Summand(*kept[:5]), _Summand(*kept[5:10])
        hidden, delta, of_map, q, *hyper = kept[10:]
        ranges, spatial, backend = ctx.options
        passes = passes_of(backend, x)
        weighted, v = _weighted(x, r, summands)
        coef = ranges.place(delta)
        folded = _fold(coef, v)
        pi = None if q is None else spatial.map(q)

        grad_coef, grad_pi, *moments = passes.reduce_sum(weighted, folded, pi, grad)
        grad_a, grad_b = grad_coef.mT.chunk(2, 1)  # (N, K, C) each
        grad_a.addcmul_(grad_b, v)
        grad_s, grad_hyper = passes.hyper_backward(
            shared(grad_coef, coef), _pooled(summands), hidden, delta, Hyper(*hyper), ranges
        )
        total = ((coef.mT[:, : ranges.k] * grad_b).sum(1) + grad_s).sum(0)  # of g = du, (C,)
        outer = grad_of_map = None
        if q is not None:
            outer = grad_z, _ = spatial.backward(grad_pi, q), of_map
            rest = grad_z.sum()  # 0 but for rounding
            of_x, of_r = (passes.plane_sums(term, grad_z) for term in (x, r))
            grad_of_map = v * rest + weighted.t * of_x.sum(0)
            grad_of_map += of_r.sum(0) * (1 if weighted.t_r is None else weighted.t_r)
            total = total + of_map * rest
            moments = [
                None if moment is None else moment + of_map * of_term
                for moment, of_term in zip(moments, (of_x, of_r), strict=True)
            ]
        grad_norms, back = [], []
        for term, moment, of_batch in zip(summands, moments, ctx.of_batch, strict=True):
            (t, _), mean, rstd = term.affine, term.mean, term.rstd
            if t is None or mean is None or rstd is None or moment is None:  # they come together
                grad_norms += [None] * 5
                back.append(None)
                continue
            moment = (moment + grad_s * term.means).sum(0)  # of g x, (C,)
            grad_weight = (moment - mean * total) * rstd
            grad_norms += [
                None if term.weight is None else grad_weight,
                None if term.bias is None else total,
                *(None,) * 3,
            ]
            count = x.numel() // x.shape[1]
            back.append(
                through_statistics(t, mean, rstd, grad_weight, total, count) if of_batch else None
            )
        grad_x = grad_r = None
        if any(ctx.needs_input_grad[:2]):
            back_x, back_r = back
            grad_x, grad_r = passes.grad_sum(
                weighted, folded, pi, grad, grad_s, back_x, back_r, outer
            )
        return grad_x, grad_r, *grad_norms, *grad_hyper, grad_of_map, *(None,) * 3
