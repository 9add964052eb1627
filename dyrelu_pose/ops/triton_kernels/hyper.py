"""The hyper function in one launch, in which C's map has programs too."""

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops import hyper as with_torch
from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.spatial import Spatial

from .blocks import parts, power_of_two
from .launch import Launch, on_device
from .softmax import block_of_map, write_softmax

TILE = 4096  # weights, or gradients, that a program of 8 warps holds at a time
WARPS = 8
# A program reads all weights for one sample, and in the backward pass the gradients of all samples
# for one hidden unit, from the L2 cache: 1 or 2 MiB at this many elements. One processor takes some
# 10 to 30 us for that (estimated, not timed), and so do the ten or so launches of matrix products
# that one kernel replaces. Above, the products win: they use the whole GPU.
MOST = 2**18
LONGEST = 1024  # samples or hidden units that fit into one tile with room for a second dimension


def side(size: int) -> int:
    """Return a power of two that is not below `size`, at least 16 to have fewer variants."""
    return max(16, power_of_two(size))


@triton.jit
def write_coefficients(
    program, parts, w1, b1, w2, b2, s, hidden, delta, coef,
    splits, channels, units, outputs, rows, blocks,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, REST: tl.constexpr,
    BLOCK_H: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Compute all hidden units of a sample and some `rows` of its outputs."""
    n = program // blocks
    part = program % blocks
    h = tl.arange(0, BLOCK_H)
    wide = s.dtype.element_ty

    sums = tl.zeros([BLOCK_H, BLOCK], wide)
    for start in range(0, channels, BLOCK):
        c = start + tl.arange(0, BLOCK)
        inside = (h < units)[:, None] & (c < channels)[None, :]
        weight = tl.load(w1 + h[:, None] * channels + c[None, :], inside, 0.0)
        pooled = tl.zeros([BLOCK], wide)
        for split in range(splits):
            pooled += tl.load(parts + (n * splits + split) * channels + c, c < channels, 0.0)
        tl.store(s + n * channels + c, pooled, (c < channels) & (part == 0) & (splits > 1))
        sums += weight * pooled[None, :]
    unit = tl.sum(sums, 1) + tl.load(b1 + h, h < units, 0.0)
    unit = tl.where(unit <= 0, 0.0, unit)  # NaN stays NaN
    tl.store(hidden + n * units + h, unit, (h < units) & (part == 0))

    last = tl.minimum(part * rows + rows, outputs)
    for start in range(part * rows, last, BLOCK):
        t = start + tl.arange(0, BLOCK)
        inside = (t < last)[:, None] & (h < units)[None, :]
        weight = tl.load(w2 + t[:, None] * units + h[None, :], inside, 0.0)
        theta = tl.sum(weight * unit[None, :], 1) + tl.load(b2 + t, t < last, 0.0)
        e = tl.exp(-tl.abs(theta))
        d = (1 - e) / (1 + e)  # |2 sigmoid(theta) - 1|
        d = tl.where(theta < 0, -d, d)
        tl.store(delta + n * outputs + t, d, t < last)
        k = t % (2 * K)
        center = tl.where(k == 0, 1.0, tl.where(k < K, REST, 0.0))
        value = tl.where(k < K, d * LAMBDA_A, d * LAMBDA_B) + center
        # Slopes and intercepts apart, each over all channels: a map's tiles read them in one piece.
        at = k * (outputs // (2 * K)) + t // (2 * K)
        tl.store(coef + n * outputs + at, value, t < last)


@triton.jit(do_not_specialize=["samples", "splits", "rows", "blocks", "parts_of_z"])
def hyper_forward_kernel(
    parts, w1, b1, w2, b2, s, hidden, delta, coef, z, q,
    samples, splits, channels, units, outputs, rows, blocks, parts_of_z, positions,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, REST: tl.constexpr,
    HAS_MAP: tl.constexpr, TAU: tl.constexpr, BLOCK_H: tl.constexpr, BLOCK: tl.constexpr,
    BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Give the first programs a sample's spatial map each, the others a part of a sample."""
    program = tl.program_id(0)
    if HAS_MAP:
        if program < samples:
            write_softmax(program, z, q, parts_of_z, positions, TAU, BLOCK_P)
        else:
            write_coefficients(
                program - samples, parts, w1, b1, w2, b2, s, hidden, delta, coef,
                splits, channels, units, outputs, rows, blocks,
                K, LAMBDA_A, LAMBDA_B, REST, BLOCK_H, BLOCK,
            )  # fmt: skip
    else:
        write_coefficients(
            program, parts, w1, b1, w2, b2, s, hidden, delta, coef,
            splits, channels, units, outputs, rows, blocks,
            K, LAMBDA_A, LAMBDA_B, REST, BLOCK_H, BLOCK,
        )  # fmt: skip


class Sizes(NamedTuple):
    """Sizes of a hyper function, for N samples, and of the spatial map beside it."""

    samples: int
    channels: int
    units: int  # of the hidden layer, C / R
    outputs: int  # 2KG
    positions: int = 0

    @property
    def fit(self) -> bool:
        """Whether one kernel computes the hyper function well; cuBLAS does above that."""
        weights = self.units * (self.channels + self.outputs)
        gradients = self.samples * self.outputs
        return max(weights, gradients) <= MOST and max(self.samples, self.units) <= LONGEST


def sizes_of(samples: int, hyper: Hyper) -> Sizes:
    """Return the sizes of a hyper function."""
    units, channels = hyper.fc1_weight.shape
    return Sizes(samples, channels, units, hyper.fc2_weight.shape[0])


def hyper_forward_launch(
    sizes: Sizes,
    ranges: Ranges,
    splits: int = 1,
    spatial: Spatial | None = None,
    parts_of_z: int = 0,
) -> Launch:
    """Return the launch for pooled parts, weights, s, hidden, delta, coef, z, and q.

    Args:
        sizes: Sizes of the hyper function.
        ranges: Ranges of the coefficients.
        splits: Partial sums of the pooled input, (N, splits, C). One is s itself.
        spatial: Constants of the spatial map, if it is computed too.
        parts_of_z: Partial sums of z, (N, parts, P).
    """
    samples, channels, units, outputs, positions = sizes
    block = max(1, TILE // side(units))
    # As many outputs as there are channels cost what the hidden layer does, which is repeated.
    rows = parts(max(channels, block), block) * block
    blocks = parts(outputs, rows)
    mapped = spatial is not None
    return Launch(
        hyper_forward_kernel, samples * (blocks + mapped),
        (samples, splits, channels, units, outputs, rows, blocks, parts_of_z, positions), WARPS,
        K=ranges.k, LAMBDA_A=ranges.lambda_a, LAMBDA_B=ranges.lambda_b, REST=ranges.rest,
        HAS_MAP=mapped, TAU=spatial.tau if spatial else 1.0,
        BLOCK_H=side(units), BLOCK=block, BLOCK_P=block_of_map(positions),
    )  # fmt: skip


def hyper_forward(s: Tensor, hyper: Hyper, ranges: Ranges) -> tuple[Tensor, Tensor, Tensor]:
    """Return the hidden layer (N, C / R), delta and the coefficients, for the pooled input (N, C).

    Delta and the coefficients are (N, G, 2K); the coefficients lie in memory as (N, 2K, G).
    """
    sizes = sizes_of(len(s), hyper)
    if not sizes.fit:
        hidden, delta, coef = with_torch.hyper_forward(s, hyper, ranges)
        return hidden, delta, coef.mT.contiguous().mT
    samples, sets = len(s), sizes.outputs // (2 * ranges.k)
    hidden = s.new_empty((samples, sizes.units))
    delta = s.new_empty((samples, sets, 2 * ranges.k))
    coef = s.new_empty((samples, 2 * ranges.k, sets))
    s = s.contiguous()
    with on_device(s):
        hyper_forward_launch(sizes, ranges)(
            s, *(weight.contiguous() for weight in hyper), s, hidden, delta, coef, None, None
        )
    return hidden, delta, coef.mT
