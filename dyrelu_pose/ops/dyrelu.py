"""DyReLU that keeps only its input and its coefficients for the backward pass.

The usual formulation keeps K full-size branches and an int64 arg-max. Here both passes recompute
the branches from x, and the winner (the last of the maximal branches, see `reference.py`) is found
again.
"""

import torch
from torch import Tensor

from .kernels import backward, forward
from .tiles import tiled_backward, tiled_forward


def dyrelu(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Compute y = max_k (a_k x + b_k) (section 3 of arXiv 2003.10027).

    Args:
        x: Input, (N, C, *), floating point; its memory format is kept.
        a: Slopes, (N, C, K), or (N, 1, K) to share them over channels (DyReLU-A).
        b: Intercepts, shaped as `a`.

    Returns:
        (N, C, *) in the dtype of `x`. Differentiable once: `create_graph=True` raises.

    Raises:
        ValueError: The shapes do not fit each other.

    Example:
        >>> x = torch.tensor([[-2.0, 3.0]])
        >>> a = torch.tensor([1.0, 0.0]).expand(1, 2, 2)
        >>> dyrelu(x, a, torch.zeros(1, 2, 2))
        tensor([[0., 3.]])
    """
    _check(x, a, b)
    return _DyReLU.apply(x, a, b, None)


def dyrelu_spatial(x: Tensor, a: Tensor, b: Tensor, pi: Tensor) -> Tensor:
    """Compute y = pi max_k (a_k x + b_k), the form of DyReLU-C.

    Args:
        x: Input, (N, C, *), floating point; its memory format is kept.
        a: Slopes, (N, C, K) or (N, 1, K).
        b: Intercepts, shaped as `a`.
        pi: Spatial map, (N, 1, *).

    Returns:
        (N, C, *) in the dtype of `x`. Differentiable once: `create_graph=True` raises.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    _check(x, a, b)
    if pi.shape != (x.shape[0], 1, *x.shape[2:]):
        raise ValueError(
            f"pi must be (N, 1, *) over the positions of x {tuple(x.shape)}, got {tuple(pi.shape)}"
        )
    return _DyReLU.apply(x, a, b, pi)


def _check(x: Tensor, a: Tensor, b: Tensor) -> None:
    if x.dim() < 2 or a.dim() != 3 or a.shape[0] != x.shape[0] or a.shape[1] not in (1, x.shape[1]):
        raise ValueError(
            f"a must be (N, C, K) or (N, 1, K) for x (N, C, *): got a {tuple(a.shape)} "
            f"for x {tuple(x.shape)}"
        )
    if a.shape != b.shape:
        raise ValueError(f"a and b must agree in shape: {tuple(a.shape)} and {tuple(b.shape)}")


class _DyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, a, b, pi):
        ctx.save_for_backward(x, a, b, pi)
        if _in_one_piece(x):
            return forward(x, _branches(a, x), _branches(b, x), pi)
        return tiled_forward(x, a, b, pi)

    @staticmethod
    def backward(ctx, grad):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise RuntimeError(
                "dyrelu has no second derivative: call backward without create_graph=True, or use "
                "dyrelu_pose.ops.reference, which autograd differentiates any number of times"
            )
        x, a, b, pi = ctx.saved_tensors
        if _in_one_piece(x):
            positions = tuple(range(2, x.dim()))
            grad_x, *grad_ab, grad_pi = backward(
                x, _branches(a, x), _branches(b, x), pi, grad, positions, channel=1
            )
            grad_a, grad_b = (torch.stack(g, -1).reshape(*x.shape[:2], -1) for g in grad_ab)
        else:
            grad_x, grad_a, grad_b, grad_pi = tiled_backward(x, a, b, pi, grad)
        if a.shape[1] == 1:  # shared over channels
            grad_a, grad_b = grad_a.sum(1, keepdim=True), grad_b.sum(1, keepdim=True)
        grad_pi = None if pi is None else grad_pi.to(pi.dtype)
        return grad_x, grad_a.to(a.dtype), grad_b.to(b.dtype), grad_pi


def _in_one_piece(x: Tensor) -> bool:
    """Whether to compute on whole tensors; a compiler fuses them, a CPU wants tiles."""
    return x.device.type != "cpu" or torch.compiler.is_compiling()


def _branches(coefficient: Tensor, x: Tensor) -> list[Tensor]:
    """Split (N, C, K) into K dense tensors that broadcast over the positions of `x`."""
    dense = coefficient.movedim(2, 0).contiguous()  # (K, N, C): strided ones are read 4x slower
    return list(dense.reshape(*dense.shape, *(1,) * (x.dim() - 2)))
