"""The gradients of the coefficients and of the spatial map: one read of the map and of `grad`."""

import triton
import triton.language as tl
from torch import Tensor

from .blocks import Blocks, blocks_to_sum
from .launch import Launch, on_device, total
from .maps import Planes, planes, planes_in_order_of
from .tiles import (
    Branches,
    branches_of,
    load_branches,
    load_map,
    maximum,
    offsets,
    part_of_program,
    winner,
)  # fmt: skip


@triton.jit(do_not_specialize=["splits"])
def reduce_kernel(
    x, grad, coef, q, scale, shift, grad_coef, grad_pi,
    x_n, x_c, x_p, grad_n, grad_c, grad_p, coef_n, coef_c, coef_k,
    channels, positions, splits, chunk,
    K: tl.constexpr, HAS_NORM: tl.constexpr, HAS_MAP: tl.constexpr, GAMMA: tl.constexpr,
    CAP: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Sum the coefficients' gradients of one block of channels over a chunk of positions."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, scale, shift, sample, c, c < channels, coef_n, coef_c, coef_k, K, HAS_NORM
    )
    wide = a0.dtype
    zeros = tl.zeros([BLOCK_C, BLOCK_P], wide)
    # Per branch, for every lane of a tile: the sums of what it gets of grad x and of grad.
    s0, s1, s2, s3, t0, t1, t2, t3 = zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros
    for start in range(split * chunk, tl.minimum(split * chunk + chunk, positions), BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        inside = (c < channels)[:, None] & (p < positions)[None, :]
        v = tl.load(x + offsets(sample, c, p, x_n, x_c, x_p), inside, 0.0).to(wide)
        g = tl.load(grad + offsets(sample, c, p, grad_n, grad_c, grad_p), inside, 0.0).to(wide)
        if HAS_MAP:
            y = maximum(v, a0, a1, a2, a3, b0, b1, b2, b3, K)
            at = (sample * tl.cdiv(channels, BLOCK_C) + block) * positions + p
            tl.store(grad_pi + at, tl.sum(g * y, 0), p < positions)
            g *= load_map(q, sample, p, positions, GAMMA, CAP)
        last = winner(v, a0, a1, a2, a3, b0, b1, b2, b3, K)
        gv = g * v
        s0 += tl.where(last == 0, gv, 0.0)
        t0 += tl.where(last == 0, g, 0.0)
        if K > 1:
            s1 += tl.where(last == 1, gv, 0.0)
            t1 += tl.where(last == 1, g, 0.0)
        if K > 2:
            s2 += tl.where(last == 2, gv, 0.0)
            t2 += tl.where(last == 2, g, 0.0)
        if K > 3:
            s3 += tl.where(last == 3, gv, 0.0)
            t3 += tl.where(last == 3, g, 0.0)
    at = grad_coef + (sample * splits + split) * 2 * K * channels + c
    to_slope, to_intercept = at, at + K * channels
    tl.store(to_slope, tl.sum(s0, 1), c < channels)
    tl.store(to_intercept, tl.sum(t0, 1), c < channels)
    if K > 1:
        tl.store(to_slope + channels, tl.sum(s1, 1), c < channels)
        tl.store(to_intercept + channels, tl.sum(t1, 1), c < channels)
    if K > 2:
        tl.store(to_slope + 2 * channels, tl.sum(s2, 1), c < channels)
        tl.store(to_intercept + 2 * channels, tl.sum(t2, 1), c < channels)
    if K > 3:
        tl.store(to_slope + 3 * channels, tl.sum(s3, 1), c < channels)
        tl.store(to_intercept + 3 * channels, tl.sum(t3, 1), c < channels)


def blocks_to_reduce(x: Planes, branches: Branches) -> Blocks:
    """Return how the programs share a map."""
    each = 8 if branches.k <= 2 else 4
    return blocks_to_sum(x, each, both=branches.spatial is not None)


def reduce_launch(x: Planes, grad: tuple[int, int, int], branches: Branches) -> Launch:
    """Return the launch for x, grad (of these strides), what is read for branches, and results.

    Results are partial sums, (N, splits, 2K, C) and (N, blocks of channels, P).
    """
    blocks = blocks_to_reduce(x, branches)
    return Launch(
        reduce_kernel, blocks.programs(x),
        (*x.strides, *grad, *branches.strides, *x.shape[1:], blocks.splits, blocks.chunk),
        blocks.warps, **branches.constants(), BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip


def reduce(x: Tensor, coef: Tensor, pi: Tensor | None, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of coef, unshared (N, C, 2K), and of pi (N, P).

    That of pi is empty where there is none.
    """
    view, branches = planes(x), branches_of(coef, pi)
    of_grad = planes_in_order_of(view, grad)
    samples, channels, positions = view.shape
    blocks = blocks_to_reduce(view, branches)
    grad_coef = coef.new_empty((samples, blocks.splits, coef.shape[2], channels))
    grad_pi = None if pi is None else coef.new_empty((samples, blocks.of_channels(view), positions))
    pi = None if pi is None else pi.contiguous()
    with on_device(x):
        launch = reduce_launch(view, of_grad.strides, branches)
        launch(view.tensor, of_grad.tensor, coef, pi, None, None, grad_coef, grad_pi)
    return total(grad_coef).mT, coef.new_empty(0) if grad_pi is None else total(grad_pi)
