"""The gradient of the input, with what comes back through pooling, norm and spatial map."""

import triton
import triton.language as tl
from torch import Tensor

from .blocks import blocks_to_write
from .launch import launch
from .maps import empty_like, planes, planes_in_order_of
from .tiles import branch_args, load_branches, offsets, part_of_program, slope_of, store, winner


@triton.jit(do_not_specialize=["splits"])
def grad_input_kernel(
    x, x_n, x_c, x_p, grad, grad_n, grad_c, grad_p, grad_x, out_n, out_c, out_p,
    coef, coef_n, coef_c, coef_k, pi, grad_mean, slope, grad_z, weight, grad_weight,
    channels, positions, splits,
    K: tl.constexpr, HAS_PI: tl.constexpr, HAS_MEAN: tl.constexpr, HAS_SLOPE: tl.constexpr,
    HAS_MAP: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write the gradient of x for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, sample, c, c < channels, coef_n, coef_c, coef_k, K
    )
    wide = a0.dtype
    v = tl.load(x + offsets(sample, c, p, x_n, x_c, x_p), inside, 0.0).to(wide)
    g = tl.load(grad + offsets(sample, c, p, grad_n, grad_c, grad_p), inside, 0.0).to(wide)
    if HAS_PI:
        g *= tl.load(pi + sample * positions + p, p < positions, 0.0)[None, :]
    last = winner(v, a0, a1, a2, a3, b0, b1, b2, b3, K)
    result = g * slope_of(last, a0, a1, a2, a3, K)
    if HAS_MEAN:
        result += tl.load(grad_mean + sample * channels + c, c < channels, 0.0)[:, None] / positions
    if HAS_SLOPE:
        result += v * tl.load(slope + c, c < channels, 0.0)[:, None]
    if HAS_MAP:
        gz = tl.load(grad_z + sample * positions + p, p < positions, 0.0)[None, :]
        result += gz * tl.load(weight + c, c < channels, 0.0).to(wide)[:, None]
        at = grad_weight + (sample * splits + split) * channels + c
        tl.store(at, tl.sum(gz * v, 1), c < channels)
    store(grad_x + offsets(sample, c, p, out_n, out_c, out_p), result, inside)


def grad_input(
    x: Tensor,
    coef: Tensor,
    pi: Tensor | None,
    grad: Tensor,
    grad_mean: Tensor | None,
    slope: Tensor | None,
    grad_z: Tensor | None,
    weight: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the gradient of x, in its order, and that of the weights (C,).

    That of the weights is empty where there are none.

    Args:
        x: Input of the forward pass, (N, C, *).
        coef: Coefficients of the forward pass, (N, C or 1, 2K).
        pi: Spatial map (N, P), or None.
        grad: Gradient of the output.
        grad_mean: Gradient of the means of planes, (N, C), or None: an element gets 1 / P of it.
        slope: Times x, added to every element of a channel, (C,), or None.
        grad_z: Gradient of the channels' weighted sum, (N, P), or None.
        weight: The weights, (C,), or None.
    """
    view = planes(x)
    grad_x = empty_like(view.tensor)
    samples, channels, positions = view.shape
    blocks = blocks_to_write(view)
    has_map = weight is not None
    grad_weight = coef.new_empty((samples * blocks.splits if has_map else 0, channels))
    launch(
        grad_input_kernel, blocks.programs(view), x, *view.args,
        *planes_in_order_of(view, grad).args, *planes(grad_x).args, *branch_args(coef),
        *_contiguous(pi, grad_mean, slope, grad_z, weight), grad_weight,
        channels, positions, blocks.splits,
        K=coef.shape[2] // 2, HAS_PI=pi is not None, HAS_MEAN=grad_mean is not None,
        HAS_SLOPE=slope is not None, HAS_MAP=has_map,
        BLOCK_C=blocks.channels, BLOCK_P=blocks.positions, warps=blocks.warps,
    )  # fmt: skip
    return grad_x, grad_weight.sum(0) if has_map else coef.new_empty(0)


def _contiguous(*tensors: Tensor | None) -> list[Tensor | None]:
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]
