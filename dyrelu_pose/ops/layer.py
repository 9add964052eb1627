"""A whole DyReLU layer: pooling, hyper function, spatial map and maximum as one function.

In one piece because the gradient that comes back through the pooling is then added where the
gradient of the maximum is written, and because its hyper function takes few launches. Kept for the
backward pass: the input; per image the pooled input, the hidden layer, delta and the coefficients
(both (N, G, 2K)); for C the map before its cap (N, P).
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from . import reference
from .backends import is_reference, passes_of, sites_of
from .given import shared
from .hyper import Hyper, Ranges
from .precision import compute_dtype, without_autocast
from .second_derivative import refuse_second_derivative
from .spatial import Spatial


def dyrelu(
    x: Tensor,
    hyper: Hyper,
    ranges: Ranges,
    weight: Tensor | None = None,
    spatial: Spatial | None = None,
    backend: str = "auto",
    inplace: bool = False,
) -> Tensor:
    """Compute DyReLU-A, -B or (with `weight`) -C (section 3.3 of arXiv 2003.10027).

    The coefficients and the map are computed in float32 at least, also under autocast. What
    `torch.jit.trace`, the transforms of `torch.func` and forward-mode differentiation see is the
    reference: tiles and functions with a backward pass of their own they cannot take.

    Args:
        x: Input, (N, C, *), floating point; channels_last is kept.
        hyper: Weights of the hyper function; G = 1 sets of coefficients make A, C of them B.
        ranges: K and the ranges of the coefficients.
        weight: Weights of the spatial map's 1x1 convolution, for C: C elements.
        spatial: Constants of the spatial map, for C.
        backend: As for `dyrelu_given`.
        inplace: Whether x may be overwritten where autograd records nothing and x asks for no
            gradient: one that does is the start of a checkpoint, which reads it again.

    Returns:
        (N, C, *) in the dtype of `x`. Differentiable once, but for the reference.

    Raises:
        ValueError: There is no such backend.
        RuntimeError: The backend cannot run here.
    """
    inplace = inplace and not x.requires_grad
    sites = sites_of(backend, x)
    if sites is not None:
        y = sites.dyrelu(x, hyper, ranges, weight, spatial, inplace)
        if y is not None:
            return y
    dtype = compute_dtype(x)
    hyper = hyper.to(dtype)
    weight = None if weight is None else weight.flatten()
    with without_autocast(x):
        if is_reference(backend):
            wide = x.to(dtype)
            pi = None
            if weight is not None and spatial is not None:
                pi = reference.spatial_map(wide, weight.to(dtype), spatial)
            a, b = reference.coefficients(wide, hyper, ranges)
            return reference.dyrelu_given(wide, a, b, pi).to(x.dtype)
        if not recorded((x, *hyper, weight)):  # a Function would take 10 us for nothing
            return _forward(x, hyper, weight, ranges, spatial, backend, inplace)[0]
        return _DyReLU.apply(x, *hyper, weight, ranges, spatial, backend)


def recorded(tensors: Iterable[Tensor | None]) -> bool:
    """Return whether autograd, or a compiler, keeps track of what these tensors become."""
    if torch.compiler.is_compiling():
        return True
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def _forward(x, hyper, weight, ranges, spatial, backend, inplace=False):
    """Return the output, and what the backward pass needs besides the input and the weights."""
    passes = passes_of(backend, x)
    s, z = passes.pool(x, weight)
    hidden, delta, coef = passes.hyper_forward(s, hyper, ranges)
    q = None if z is None else spatial.softmax(z)
    y = passes.apply(x, coef, None if q is None else spatial.map(q), inplace)
    return y, (s, hidden, delta, coef, q)


class _DyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w1, b1, w2, b2, weight, ranges, spatial, backend):
        y, kept = _forward(x, Hyper(w1, b1, w2, b2), weight, ranges, spatial, backend)
        ctx.save_for_backward(x, w1, b1, w2, b2, weight, *kept)
        ctx.options = ranges, spatial, backend
        return y

    @staticmethod
    def backward(ctx, grad):
        refuse_second_derivative()
        x, *weights, weight, s, hidden, delta, coef, q = ctx.saved_tensors
        ranges, spatial, backend = ctx.options
        passes = passes_of(backend, x)
        hyper = Hyper(*weights)
        pi = None if q is None else spatial.map(q)

        grad_coef, grad_pi = passes.reduce(x, coef, pi, grad)
        grad_s, grad_hyper = passes.hyper_backward(
            shared(grad_coef, coef), s, hidden, delta, hyper, ranges
        )
        outer = None if q is None else (spatial.backward(grad_pi, q), weight)
        grad_x = grad_weight = None
        if ctx.needs_input_grad[0] or outer is not None:
            grad_x, grad_weight = passes.grad_input(x, coef, pi, grad, grad_s, outer=outer)
        return grad_x, *grad_hyper, grad_weight, None, None, None
