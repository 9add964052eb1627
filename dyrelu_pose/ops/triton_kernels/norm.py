"""What a batch normalization folded into the coefficients adds: statistics, and their gradient.

A program has some channels and reads what the passes over the map left of all samples.
"""

from typing import NamedTuple

import triton
import triton.language as tl

from .blocks import Blocks, parts, power_of_two
from .launch import Launch

CHANNELS = 16
SAMPLES = 64  # at a time
WARPS = 4


class Kind(NamedTuple):
    """What is there of a norm."""

    weight: bool
    bias: bool
    fixed: bool  # statistics of its own, not the batch's
    eps: float
    momentum: float | None  # of running statistics that those of the batch go into, if any


@triton.jit(do_not_specialize=["samples", "splits"])
def statistics_kernel(
    parts, variances, weight, bias, mean, variance, running_mean, running_variance, batches,
    means, s, center, rstd, scale, shift, samples, channels, positions, splits, chunk,
    EPS: tl.constexpr, OF_BATCH: tl.constexpr, HAS_WEIGHT: tl.constexpr, HAS_BIAS: tl.constexpr,
    HAS_RUNNING: tl.constexpr, SHARE: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """Merge the moments of chunks of planes, (N, splits, C); write u = scale x + shift, and s(u).

    Without `OF_BATCH` mean and variance are given, and the parts are those of means. With
    `HAS_RUNNING` those of the batch go into the running ones instead. The center is the mean again,
    for the backward pass: until then, running statistics may become others.
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    wide = means.dtype.element_ty
    inside_c = c < channels
    if OF_BATCH:
        sums = tl.zeros([BLOCK_N, BLOCK_C], wide)
        for row in range(0, samples * splits, BLOCK_N):
            n = row + tl.arange(0, BLOCK_N)
            inside = (n < samples * splits)[:, None] & inside_c[None, :]
            size = tl.minimum(positions - (n % splits) * chunk, chunk).to(wide)[:, None]
            value = tl.load(parts + n[:, None] * channels + c[None, :], inside, 0.0)
            sums += value * (size / positions)
        middle = tl.sum(sums, 0) / samples
        sums = tl.zeros([BLOCK_N, BLOCK_C], wide)
        for row in range(0, samples * splits, BLOCK_N):
            n = row + tl.arange(0, BLOCK_N)
            inside = (n < samples * splits)[:, None] & inside_c[None, :]
            size = tl.minimum(positions - (n % splits) * chunk, chunk).to(wide)[:, None]
            at = n[:, None] * channels + c[None, :]
            gap = tl.load(parts + at, inside, 0.0) - middle[None, :]
            square = tl.load(variances + at, inside, 0.0) + gap * gap
            sums += tl.where(inside, square * (size / positions), 0.0)
        spread = tl.sum(sums, 0) / samples
        if not HAS_RUNNING:
            tl.store(mean + c, middle, inside_c)
            tl.store(variance + c, spread, inside_c)
    else:
        middle = tl.load(mean + c, inside_c, 0.0)
        spread = tl.load(variance + c, inside_c, 0.0)
    if HAS_RUNNING:
        old = tl.load(running_mean + c, inside_c, 0.0)
        tl.store(running_mean + c, old + SHARE * (middle - old), inside_c)
        old = tl.load(running_variance + c, inside_c, 0.0)
        unbiased = spread / (samples * positions - 1) * samples * positions
        tl.store(running_variance + c, old + SHARE * (unbiased - old), inside_c)
        if tl.program_id(0) == 0:
            tl.store(batches, tl.load(batches) + 1)
    reciprocal = 1 / tl.sqrt(spread + EPS)
    t = reciprocal
    if HAS_WEIGHT:
        t *= tl.load(weight + c, inside_c, 0.0)
    v = -middle * t
    if HAS_BIAS:
        v += tl.load(bias + c, inside_c, 0.0)
    tl.store(center + c, middle, inside_c)
    tl.store(rstd + c, reciprocal, inside_c)
    tl.store(scale + c, t, inside_c)
    tl.store(shift + c, v, inside_c)
    for row in range(0, samples, BLOCK_N):
        n = row + tl.arange(0, BLOCK_N)
        inside = (n < samples)[:, None] & inside_c[None, :]
        value = tl.zeros([BLOCK_N, BLOCK_C], wide)
        for split in range(splits):
            at = (n * splits + split)[:, None] * channels + c[None, :]
            share = 1.0
            if OF_BATCH:
                share = tl.minimum(positions - split * chunk, chunk).to(wide) / positions
            value += tl.load(parts + at, inside, 0.0) * share
        at = n[:, None] * channels + c[None, :]
        tl.store(means + at, value, inside & (splits > 1))
        tl.store(s + at, value * t[None, :] + v[None, :], inside)


def statistics_launch(shape: tuple[int, int, int], blocks: Blocks, norm: Kind) -> Launch:
    """Return the launch for moments, the norm's parameters and statistics, and results.

    Args:
        shape: N, C and P.
        blocks: Of the pass that yielded the moments.
        norm: What is there of the norm.
    """
    samples, channels, positions = shape
    return Launch(
        statistics_kernel, parts(channels, CHANNELS),
        (samples, channels, positions, blocks.splits, blocks.chunk), WARPS,
        EPS=norm.eps, OF_BATCH=not norm.fixed, HAS_WEIGHT=norm.weight, HAS_BIAS=norm.bias,
        HAS_RUNNING=norm.momentum is not None, SHARE=norm.momentum or 0.0,
        BLOCK_N=min(power_of_two(samples * blocks.splits), SAMPLES), BLOCK_C=CHANNELS,
    )  # fmt: skip


@triton.jit(do_not_specialize=["samples"])
def norm_backward_kernel(
    grad_coef, coef, grad_s, means, mean, rstd, scale, grad_weight, grad_bias, slope, grad_mean,
    samples, channels, positions,
    K: tl.constexpr, OF_BATCH: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_C: tl.constexpr,
):  # fmt: skip
    """Write the gradients of the norm, and what goes back to x through its statistics.

    Gradients are of coefficients of x, and coefficients those of u, both (N, 2K, C).
    """
    c = tl.program_id(0) * BLOCK_C + tl.arange(0, BLOCK_C)
    wide = means.dtype.element_ty
    inside_c = c < channels
    sums = tl.zeros([BLOCK_N, BLOCK_C], wide)
    products = tl.zeros([BLOCK_N, BLOCK_C], wide)
    for row in range(0, samples, BLOCK_N):
        n = row + tl.arange(0, BLOCK_N)
        inside = (n < samples)[:, None] & inside_c[None, :]
        at = n[:, None] * channels + c[None, :]
        of_s = tl.load(grad_s + at, inside, 0.0)
        sums += of_s
        products += of_s * tl.load(means + at, inside, 0.0)
        for k in tl.static_range(K):
            at = (n * 2 * K + k)[:, None] * channels + c[None, :]
            a = tl.load(coef + at, inside, 0.0)
            products += a * tl.load(grad_coef + at, inside, 0.0)
            sums += a * tl.load(grad_coef + at + K * channels, inside, 0.0)
    total = tl.sum(sums, 0)
    moment = tl.sum(products, 0)
    middle = tl.load(mean + c, inside_c, 0.0)
    reciprocal = tl.load(rstd + c, inside_c, 0.0)
    t = tl.load(scale + c, inside_c, 0.0)
    of_weight = (moment - middle * total) * reciprocal
    tl.store(grad_weight + c, of_weight, inside_c)
    tl.store(grad_bias + c, total, inside_c)
    back = tl.zeros([BLOCK_C], wide)
    if OF_BATCH:
        incline = -t * of_weight * reciprocal / samples / positions
        tl.store(slope + c, incline, inside_c)
        back = t * total / samples + incline * middle * positions
    for row in range(0, samples, BLOCK_N):
        n = row + tl.arange(0, BLOCK_N)
        inside = (n < samples)[:, None] & inside_c[None, :]
        at = n[:, None] * channels + c[None, :]
        of_s = tl.load(grad_s + at, inside, 0.0)
        tl.store(grad_mean + at, of_s * t[None, :] - back[None, :], inside)


def norm_backward_launch(shape: tuple[int, int, int], k: int, of_batch: bool) -> Launch:
    """Return the launch for gradients of coefficients, what the forward pass left, and results."""
    samples, channels, positions = shape
    return Launch(
        norm_backward_kernel, parts(channels, CHANNELS), (samples, channels, positions), WARPS,
        K=k, OF_BATCH=of_batch, BLOCK_N=min(power_of_two(samples), SAMPLES), BLOCK_C=CHANNELS,
    )  # fmt: skip
