"""The passes over the sum of two maps, w = t x + t_r r, which is added up anew in each."""

from collections.abc import Sequence
from itertools import chain

import triton
import triton.language as tl
from torch import Tensor

from .blocks import Blocks, blocks_to_sum, blocks_to_write
from .launch import Launch, on_device, total
from .maps import Planes, empty_like, planes, planes_in_order_of
from .tiles import (
    branches_of,
    load_branches,
    load_positions,
    maximum,
    offsets,
    part_of_program,
    slope_of,
    store,
    winner,
)


@triton.jit
def load_channels(values, c, channels):
    """Return the values (C,) of the channels, (BLOCK_C, 1)."""
    return tl.load(values + c, c < channels, 0.0)[:, None]


@triton.jit
def load_summands(x, r, inside, t, t_r, c, channels, HAS_T_R: tl.constexpr):
    """Return tiles of x, of r and of their sum; `x` and `r` point to the tiles."""
    scale = load_channels(t, c, channels)
    first = tl.load(x, inside, 0.0).to(scale.dtype)
    second = tl.load(r, inside, 0.0).to(scale.dtype)
    shortcut = second
    if HAS_T_R:
        shortcut = second * load_channels(t_r, c, channels)
    return first, second, first * scale + shortcut


@triton.jit(do_not_specialize=["splits"])
def apply_sum_kernel(
    x, r, t, t_r, coef, pi, y,
    x_n, x_c, x_p, r_n, r_c, r_p, coef_n, coef_c, coef_k, y_n, y_c, y_p,
    channels, positions, splits,
    K: tl.constexpr, HAS_T_R: tl.constexpr, HAS_MAP: tl.constexpr,
    BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write y for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, None, None, sample, c, c < channels, coef_n, coef_c, coef_k, K, False
    )
    _, _, w = load_summands(
        x + offsets(sample, c, p, x_n, x_c, x_p), r + offsets(sample, c, p, r_n, r_c, r_p),
        inside, t, t_r, c, channels, HAS_T_R,
    )  # fmt: skip
    result = maximum(w, a0, a1, a2, a3, b0, b1, b2, b3, K)
    if HAS_MAP:
        result *= load_positions(pi, sample, p, positions)
    store(y + offsets(sample, c, p, y_n, y_c, y_p), result, inside)


@triton.jit(do_not_specialize=["splits"])
def reduce_sum_kernel(
    x, r, t, t_r, coef, pi, grad, sums, grad_pi,
    x_n, x_c, x_p, r_n, r_c, r_p, coef_n, coef_c, coef_k, grad_n, grad_c, grad_p,
    channels, positions, splits, chunk,
    K: tl.constexpr, HAS_T_R: tl.constexpr, HAS_MAP: tl.constexpr,
    BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Sum over a chunk of positions: the gradients of 2K coefficients, then the two moments."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, None, None, sample, c, c < channels, coef_n, coef_c, coef_k, K, False
    )
    zeros = tl.zeros([BLOCK_C, BLOCK_P], a0.dtype)
    # Per branch, for every lane of a tile: the sums of what it gets of grad w and of grad.
    s0, s1, s2, s3, t0, t1, t2, t3 = zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros
    of_x, of_r = zeros, zeros
    for start in range(split * chunk, tl.minimum(split * chunk + chunk, positions), BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        inside = (c < channels)[:, None] & (p < positions)[None, :]
        first, second, w = load_summands(
            x + offsets(sample, c, p, x_n, x_c, x_p), r + offsets(sample, c, p, r_n, r_c, r_p),
            inside, t, t_r, c, channels, HAS_T_R,
        )  # fmt: skip
        g = tl.load(grad + offsets(sample, c, p, grad_n, grad_c, grad_p), inside, 0.0).to(w.dtype)
        if HAS_MAP:
            u = maximum(w, a0, a1, a2, a3, b0, b1, b2, b3, K)
            at = (sample * tl.cdiv(channels, BLOCK_C) + block) * positions + p
            tl.store(grad_pi + at, tl.sum(g * u, 0), p < positions)
            g *= load_positions(pi, sample, p, positions)
        last = winner(w, a0, a1, a2, a3, b0, b1, b2, b3, K)
        gw = g * w
        s0 += tl.where(last == 0, gw, 0.0)
        t0 += tl.where(last == 0, g, 0.0)
        if K > 1:
            s1 += tl.where(last == 1, gw, 0.0)
            t1 += tl.where(last == 1, g, 0.0)
        if K > 2:
            s2 += tl.where(last == 2, gw, 0.0)
            t2 += tl.where(last == 2, g, 0.0)
        if K > 3:
            s3 += tl.where(last == 3, gw, 0.0)
            t3 += tl.where(last == 3, g, 0.0)
        reached = g * slope_of(last, a0, a1, a2, a3, K)
        of_x += reached * first
        if HAS_T_R:
            of_r += reached * second
    to_slope = sums + (sample * splits + split) * (2 * K + 2) * channels + c
    to_intercept = to_slope + K * channels
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
    to_moment = to_intercept + K * channels
    tl.store(to_moment, tl.sum(of_x, 1), c < channels)
    tl.store(to_moment + channels, tl.sum(of_r, 1), c < channels)


@triton.jit
def through(t, gradient, slope, shift, value, c, channels, HAS_T: tl.constexpr, BACK: tl.constexpr):
    """Return the gradient of a summand from that of the sum."""
    if HAS_T:
        gradient *= load_channels(t, c, channels)
    if BACK:
        gradient += value * load_channels(slope, c, channels) + load_channels(shift, c, channels)
    return gradient


@triton.jit(do_not_specialize=["splits"])
def grad_sum_kernel(
    x, r, t, t_r, coef, pi, grad, grad_x, grad_r,
    grad_mean, slope, shift, slope_r, shift_r, grad_z, weight,
    x_n, x_c, x_p, r_n, r_c, r_p, coef_n, coef_c, coef_k, grad_n, grad_c, grad_p,
    gx_n, gx_c, gx_p, gr_n, gr_c, gr_p, channels, positions, splits,
    K: tl.constexpr, HAS_T_R: tl.constexpr, HAS_MAP: tl.constexpr, BACK: tl.constexpr,
    BACK_R: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write the gradients of x and r for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, None, None, sample, c, c < channels, coef_n, coef_c, coef_k, K, False
    )
    first, second, w = load_summands(
        x + offsets(sample, c, p, x_n, x_c, x_p), r + offsets(sample, c, p, r_n, r_c, r_p),
        inside, t, t_r, c, channels, HAS_T_R,
    )  # fmt: skip
    g = tl.load(grad + offsets(sample, c, p, grad_n, grad_c, grad_p), inside, 0.0).to(w.dtype)
    if HAS_MAP:
        g *= load_positions(pi, sample, p, positions)
    g *= slope_of(winner(w, a0, a1, a2, a3, b0, b1, b2, b3, K), a0, a1, a2, a3, K)
    g += load_channels(grad_mean + sample * channels, c, channels) / positions
    if HAS_MAP:
        g += load_positions(grad_z, sample, p, positions) * load_channels(weight, c, channels)
    of_x = through(t, g, slope, shift, first, c, channels, True, BACK)
    of_r = through(t_r, g, slope_r, shift_r, second, c, channels, HAS_T_R, BACK_R)
    store(grad_x + offsets(sample, c, p, gx_n, gx_c, gx_p), of_x, inside)
    store(grad_r + offsets(sample, c, p, gr_n, gr_c, gr_p), of_r, inside)


def apply_sum(
    x: Tensor, t: Tensor, r: Tensor, t_r: Tensor | None, coef: Tensor, pi: Tensor | None
) -> Tensor:
    """Return pi max_k (a_k w + b_k) in the order of `x`; pi is (N, P) or None."""
    view = planes(x)
    y = planes(empty_like(view.tensor))
    _launch(apply_sum_kernel, view, blocks_to_write(view), t, r, t_r, coef, pi, (y,))
    return y.tensor


def reduce_sum(
    x: Tensor,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Tensor,
    pi: Tensor | None,
    grad: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of coef, and what w gets times x and times r, (N, C, 2K + 2).

    The last is 0 where there is no `t_r`. And the gradient of pi (N, P), empty where there is none.
    """
    view = planes(x)
    samples, channels, positions = view.shape
    # It keeps more sums than `reduce`.
    blocks = blocks_to_sum(view, each=4, both=pi is not None)
    sums = coef.new_empty((samples, blocks.splits, coef.shape[2] + 2, channels))
    grad_pi = None if pi is None else coef.new_empty((samples, blocks.of_channels(view), positions))
    maps = (planes_in_order_of(view, grad),)
    _launch(
        reduce_sum_kernel, view, blocks, t, r, t_r, coef, pi, maps, sums, grad_pi,
        numbers=(blocks.chunk,),
    )  # fmt: skip
    return total(sums).mT, coef.new_empty(0) if grad_pi is None else total(grad_pi)


def grad_sum(
    x: Tensor,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Tensor,
    pi: Tensor | None,
    grad: Tensor,
    grad_mean: Tensor,
    slope: Tensor | None,
    shift: Tensor | None,
    slope_r: Tensor | None,
    shift_r: Tensor | None,
    grad_z: Tensor | None,
    weight: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Return the gradients of x and r, in the order of `x`; see `Passes.grad_sum`."""
    view = planes(x)
    grad_x, grad_r = (planes(empty_like(view.tensor)) for _ in range(2))
    rest = (
        None if each is None else each.contiguous()
        for each in (slope, shift, slope_r, shift_r, grad_z, weight)
    )  # fmt: skip
    _launch(
        grad_sum_kernel, view, blocks_to_write(view), t, r, t_r, coef, pi,
        (planes_in_order_of(view, grad), grad_x, grad_r), grad_mean.contiguous(), *rest,
        BACK=slope is not None, BACK_R=slope_r is not None,
    )  # fmt: skip
    return grad_x.tensor, grad_r.tensor


def _launch(
    kernel,
    x: Planes,
    blocks: Blocks,
    t: Tensor,
    r: Tensor,
    t_r: Tensor | None,
    coef: Tensor,
    pi: Tensor | None,
    maps: Sequence[Planes],
    *pointers: Tensor | None,
    numbers: tuple[int, ...] = (),
    **constants,
) -> None:
    """Launch a kernel of this file: the sum, coefficients and pi, further maps, then the rest."""
    shortcut, branches = planes_in_order_of(x, r), branches_of(coef, None)
    strides = (x.strides, shortcut.strides, branches.strides, *(each.strides for each in maps))
    launch = Launch(
        kernel, blocks.programs(x), (*chain(*strides), *x.shape[1:], blocks.splits, *numbers),
        blocks.warps, K=branches.k, HAS_T_R=t_r is not None, HAS_MAP=pi is not None, **constants,
        BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip
    with on_device(x.tensor):
        launch(
            x.tensor, shortcut.tensor, t.contiguous(), None if t_r is None else t_r.contiguous(),
            coef, None if pi is None else pi.contiguous(), *(each.tensor for each in maps),
            *pointers,
        )  # fmt: skip
