"""The gradient of the input, with what comes back through pooling, norm and spatial map."""

import triton
import triton.language as tl
from torch import Tensor

from .blocks import blocks_to_write
from .launch import Launch, on_device
from .maps import Planes, empty_like, planes, planes_in_order_of
from .tiles import (
    Branches,
    branches_of,
    load_branches,
    load_map,
    load_positions,
    offsets,
    part_of_program,
    slope_of,
    store,
    winner,
)  # fmt: skip


@triton.jit(do_not_specialize=["splits"])
def grad_input_kernel(
    x, grad, grad_x, coef, q, scale, shift, grad_mean, slope, grad_z, weight, grad_weight,
    x_n, x_c, x_p, grad_n, grad_c, grad_p, out_n, out_c, out_p, coef_n, coef_c, coef_k,
    channels, positions, splits,
    K: tl.constexpr, HAS_NORM: tl.constexpr, HAS_MAP: tl.constexpr, GAMMA: tl.constexpr,
    CAP: tl.constexpr, HAS_MEAN: tl.constexpr, HAS_SLOPE: tl.constexpr, HAS_OUTER: tl.constexpr,
    BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write the gradient of x for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, scale, shift, sample, c, c < channels, coef_n, coef_c, coef_k, K, HAS_NORM
    )
    wide = a0.dtype
    v = tl.load(x + offsets(sample, c, p, x_n, x_c, x_p), inside, 0.0).to(wide)
    g = tl.load(grad + offsets(sample, c, p, grad_n, grad_c, grad_p), inside, 0.0).to(wide)
    if HAS_MAP:
        g *= load_map(q, sample, p, positions, GAMMA, CAP)
    last = winner(v, a0, a1, a2, a3, b0, b1, b2, b3, K)
    result = g * slope_of(last, a0, a1, a2, a3, K)
    if HAS_MEAN:
        result += tl.load(grad_mean + sample * channels + c, c < channels, 0.0)[:, None] / positions
    if HAS_SLOPE:
        result += v * tl.load(slope + c, c < channels, 0.0)[:, None]
    if HAS_OUTER:
        gz = load_positions(grad_z, sample, p, positions)
        result += gz * tl.load(weight + c, c < channels, 0.0).to(wide)[:, None]
        at = grad_weight + (sample * splits + split) * channels + c
        tl.store(at, tl.sum(gz * v, 1), c < channels)
    store(grad_x + offsets(sample, c, p, out_n, out_c, out_p), result, inside)


def grad_input_launch(
    x: Planes,
    grad: tuple[int, int, int],
    grad_x: Planes,
    branches: Branches,
    mean: bool = False,
    slope: bool = False,
    outer: bool = False,
) -> Launch:
    """Return the launch for x, grad (of these strides), grad_x, what is read for branches, ...

    Args:
        x: Input of the forward pass.
        grad: Strides of the gradient of the output.
        grad_x: The result.
        branches: Branches of the forward pass.
        mean: Whether a gradient of the means of planes follows.
        slope: Whether a slope follows.
        outer: Whether a gradient of the weighted sum, the weights, and room for partial sums of
            their gradients, (N splits, C), follow.
    """
    blocks = blocks_to_write(x)
    return Launch(
        grad_input_kernel, blocks.programs(x),
        (*x.strides, *grad, *grad_x.strides, *branches.strides, *x.shape[1:], blocks.splits),
        blocks.warps, **branches.constants(), HAS_MEAN=mean, HAS_SLOPE=slope, HAS_OUTER=outer,
        BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip


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
    view, of_grad = planes(x), planes_in_order_of(planes(x), grad)
    grad_x = empty_like(view.tensor)
    has_outer = weight is not None
    parts = view.shape[0] * blocks_to_write(view).splits if has_outer else 0
    grad_weight = coef.new_empty((parts, view.shape[1]))
    pi, *rest = (None if t is None else t.contiguous() for t in (pi, grad_mean, slope, grad_z))
    with on_device(x):
        launch = grad_input_launch(
            view, of_grad.strides, planes(grad_x), branches_of(coef, pi),
            grad_mean is not None, slope is not None, has_outer,
        )  # fmt: skip
        launch(
            view.tensor, of_grad.tensor, grad_x, coef, pi, None, None, *rest,
            weight.contiguous() if weight is not None else None, grad_weight,
        )  # fmt: skip
    return grad_x, grad_weight.sum(0) if has_outer else coef.new_empty(0)
