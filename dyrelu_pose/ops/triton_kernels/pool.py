"""What pooling yields of every plane, its mean or its moments, in one read of the map."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops.precision import compute_dtype

from .blocks import Blocks, blocks_to_sum
from .launch import Launch, on_device, total
from .maps import Planes, planes
from .tiles import offsets, part_of_program


@triton.jit(do_not_specialize=["splits"])
def pool_kernel(
    x, weight, mean, z, stride_n, stride_c, stride_p, channels, positions, splits, chunk,
    HAS_MAP: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Sum one block of channels over a chunk of positions per program, and z over its channels."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    wide = mean.dtype.element_ty
    sums = tl.zeros([BLOCK_C, BLOCK_P], wide)
    if HAS_MAP:
        weights = tl.load(weight + c, c < channels, 0.0).to(wide)[:, None]
        out = z + (sample * tl.cdiv(channels, BLOCK_C) + block) * positions
    for start in range(split * chunk, tl.minimum(split * chunk + chunk, positions), BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        inside = (c < channels)[:, None] & (p < positions)[None, :]
        at = offsets(sample, c, p, stride_n, stride_c, stride_p)
        value = tl.load(x + at, inside, 0.0).to(wide)
        sums += value
        if HAS_MAP:
            tl.store(out + p, tl.sum(value * weights, 0), p < positions)
    row = sample * splits + split
    tl.store(mean + row * channels + c, tl.sum(sums, 1) / positions, c < channels)


def pool_launch(x: Planes, mapped: bool) -> Launch:
    """Return the launch for x, weights or None, means and weighted sums or None.

    Results are partial sums, (N, splits, C) and (N, blocks of channels, P).
    """
    blocks = blocks_to_pool(x, mapped)
    return Launch(
        pool_kernel, blocks.programs(x), _numbers(x, blocks), blocks.warps,
        HAS_MAP=mapped, BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip


def blocks_to_pool(x: Planes, mapped: bool) -> Blocks:
    """Return how the programs share a map."""
    return blocks_to_sum(x, each=16, both=mapped)


def _numbers(x: Planes, blocks: Blocks) -> tuple[int, ...]:
    return (*x.strides, *x.shape[1:], blocks.splits, blocks.chunk)


def pool(x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the mean of every plane (N, C), and the channels' sum (N, P) weighted by (C,).

    The sum is empty without weights.
    """
    view = planes(x)
    samples, channels, positions = view.shape
    blocks = blocks_to_pool(view, weight is not None)
    dtype = compute_dtype(x)
    mean = x.new_empty((samples, blocks.splits, channels), dtype=dtype)
    z = None
    if weight is not None:
        z = x.new_empty((samples, blocks.of_channels(view), positions), dtype=dtype)
    with on_device(x):
        pool_launch(view, weight is not None)(view.tensor, weight, mean, z)
    return total(mean), x.new_empty(0, dtype=dtype) if z is None else total(z)


@triton.jit(do_not_specialize=["splits"])
def moments_kernel(
    x, means, variances, stride_n, stride_c, stride_p, channels, positions, splits, chunk,
    BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Each lane of a tile updates its own mean and squares (Welford); then they merge (Chan)."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    wide = means.dtype.element_ty
    first = split * chunk
    last = tl.minimum(first + chunk, positions)
    mean = tl.zeros([BLOCK_C, BLOCK_P], wide)
    squares = tl.zeros([BLOCK_C, BLOCK_P], wide)
    for start in range(first, last, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        inside = (c < channels)[:, None] & (p < positions)[None, :]
        at = offsets(sample, c, p, stride_n, stride_c, stride_p)
        value = tl.load(x + at, inside, 0.0).to(wide)
        count = ((start - first) // BLOCK_P + 1).to(wide)
        gap = tl.where(inside, value - mean, 0.0)
        mean += gap / count
        squares += tl.where(inside, gap * (value - mean), 0.0)
    lanes = tl.cdiv(tl.maximum(last - first - tl.arange(0, BLOCK_P), 0), BLOCK_P)
    lanes = lanes.to(wide)[None, :]  # values that each lane has seen
    size = (last - first).to(wide)
    middle = tl.sum(mean * lanes, 1) / size
    gap = mean - middle[:, None]
    variance = tl.sum(squares + gap * gap * lanes, 1) / size
    at = (sample * splits + split) * channels + c
    tl.store(means + at, middle, c < channels)
    tl.store(variances + at, variance, c < channels)


def moments_launch(x: Planes) -> Launch:
    """Return the launch for x, means and variances of the chunks of planes, (N, splits, C)."""
    blocks = blocks_of_moments(x)
    return Launch(
        moments_kernel, blocks.programs(x), _numbers(x, blocks), blocks.warps,
        BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip


def blocks_of_moments(x: Planes) -> Blocks:
    """Return how the programs share a map."""
    return blocks_to_sum(x, each=8)


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance (over P) of every plane, each (N, C)."""
    view = planes(x)
    samples, channels, positions = view.shape
    blocks = blocks_of_moments(view)
    dtype = compute_dtype(x)
    means = x.new_empty((samples, blocks.splits, channels), dtype=dtype)
    variances = torch.empty_like(means)
    with on_device(x):
        moments_launch(view)(view.tensor, means, variances)
    if blocks.splits == 1:
        return means.squeeze(1), variances.squeeze(1)
    return _merge(means, variances, blocks, positions)


def _merge(mean: Tensor, variance: Tensor, blocks: Blocks, positions: int) -> tuple[Tensor, Tensor]:
    """Merge the moments (N, splits, C) of chunks of positions, of which the last may be shorter."""
    ends = torch.arange(1, blocks.splits + 1, device=mean.device) * blocks.chunk
    share = (ends.clamp(max=positions) - ends + blocks.chunk).to(mean.dtype)[:, None] / positions
    middle = (mean * share).sum(1)
    variance = ((variance + (mean - middle[:, None]).square()) * share).sum(1)
    return middle, variance
