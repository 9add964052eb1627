"""The mean of every plane and the channels' weighted sum: one read of the map."""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .blocks import blocks_to_sum
from .launch import launch
from .maps import planes
from .parts import total
from .tiles import offsets, part_of_program


@triton.jit(do_not_specialize=["splits"])
def pool_kernel(
    x, stride_n, stride_c, stride_p, weight, mean, z, channels, positions, splits, chunk,
    HAS_MAP: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Sum one block of channels over a chunk of positions per program, and z over its channels."""
    sample, split, block, c = part_of_program(channels, splits, BLOCK_C)
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


def pool(x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the mean of every plane (N, C), and the channels' sum (N, P) weighted by (C,).

    The sum is empty without weights.
    """
    view = planes(x)
    samples, channels, positions = view.shape
    blocks = blocks_to_sum(view, each=16, both=weight is not None)
    dtype = torch.promote_types(x.dtype, torch.float32)
    mean = x.new_empty((samples, blocks.splits, channels), dtype=dtype)
    z = None
    if weight is not None:
        z = x.new_empty((samples, blocks.of_channels(view), positions), dtype=dtype)
    launch(
        pool_kernel, blocks.programs(view), x, *view.args,
        weight, mean, z, channels, positions, blocks.splits, blocks.chunk,
        HAS_MAP=weight is not None, BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
        warps=blocks.warps,
    )  # fmt: skip
    return total(mean), x.new_empty(0, dtype=dtype) if z is None else total(z)
