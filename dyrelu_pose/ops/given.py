"""DyReLU for given coefficients, for a hyper function of one's own; `layer.py` has the paper's.

It keeps nothing else than its inputs for the backward pass. The usual formulation keeps K full-size
branches and an int64 arg-max. Here both passes recompute the branches from x, and the winner (the
last of the maximal branches) is found again.
"""

import torch
from torch import Tensor

from . import reference
from .backends import is_reference, passes_of
from .precision import compute_dtype
from .second_derivative import refuse_second_derivative


def dyrelu_given(
    x: Tensor, a: Tensor, b: Tensor, pi: Tensor | None = None, backend: str = "auto"
) -> Tensor:
    """Compute y = pi max_k (a_k x + b_k) (section 3 of arXiv 2003.10027).

    Args:
        x: Input, (N, C, *), floating point; channels_last is kept.
        a: Slopes, (N, C, K), or (N, 1, K) to share them over channels (DyReLU-A).
        b: Intercepts, shaped as `a`.
        pi: Spatial map of DyReLU-C, (N, 1, *); None counts as 1.
        backend: `'auto'`, `'reference'`, `'eager'`, `'numba'`, `'compile'` or `'triton'`.

    Returns:
        (N, C, *) in the dtype of `x`. Differentiable once, but for the reference: with
        `create_graph=True` the backward pass raises.

    Raises:
        ValueError: The shapes do not fit each other, or there is no such backend.
        RuntimeError: The backend cannot run here.

    Example:
        >>> x = torch.tensor([[-2.0, 3.0]])
        >>> a = torch.tensor([1.0, 0.0]).expand(1, 2, 2)
        >>> dyrelu_given(x, a, torch.zeros(1, 2, 2))
        tensor([[0., 3.]])
    """
    _check(x, a, b, pi)
    if is_reference(backend):
        return reference.dyrelu_given(x, a, b, pi).to(x.dtype)
    dtype = torch.promote_types(compute_dtype(x), a.dtype)
    coef = torch.cat([a, b], 2).to(dtype)
    return _DyReLUGiven.apply(x, coef, None if pi is None else pi.flatten(1).to(dtype), backend)


def _check(x: Tensor, a: Tensor, b: Tensor, pi: Tensor | None) -> None:
    if x.dim() < 2 or a.dim() != 3 or a.shape[0] != x.shape[0] or a.shape[1] not in (1, x.shape[1]):
        raise ValueError(
            f"a must be (N, C, K) or (N, 1, K) for x (N, C, *): got a {tuple(a.shape)} "
            f"for x {tuple(x.shape)}"
        )
    if a.shape != b.shape:
        raise ValueError(f"a and b must agree in shape: {tuple(a.shape)} and {tuple(b.shape)}")
    if pi is not None and pi.shape != (x.shape[0], 1, *x.shape[2:]):
        raise ValueError(
            f"pi must be (N, 1, *) over the positions of x {tuple(x.shape)}, got {tuple(pi.shape)}"
        )


class _DyReLUGiven(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, coef, pi, backend):
        ctx.save_for_backward(x, coef, pi)
        ctx.backend = backend
        return passes_of(backend, x).apply(x, coef, pi)

    @staticmethod
    def backward(ctx, grad):
        refuse_second_derivative()
        x, coef, pi = ctx.saved_tensors
        passes = passes_of(ctx.backend, x)
        grad_x = grad_coef = grad_pi = None
        if ctx.needs_input_grad[0]:
            grad_x, _ = passes.grad_input(x, coef, pi, grad)
        if any(ctx.needs_input_grad[1:3]):
            grad_coef, grad_pi = passes.reduce(x, coef, pi, grad)
            grad_coef = shared(grad_coef, coef)
        return grad_x, grad_coef, grad_pi, None


def shared(grad_coef: Tensor, coef: Tensor) -> Tensor:
    """Add up (N, C, 2K) over channels where they share their coefficients, (N, 1, 2K)."""
    return grad_coef.sum(1, keepdim=True) if coef.shape[1] == 1 else grad_coef
