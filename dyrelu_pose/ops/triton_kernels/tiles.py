"""Device functions: the tile of a map that a program works on, and its linear branches.

Branches are spelled out, up to four of them, because Triton before 3.3 cannot hold a list of
tensors.
"""

import math
from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops.spatial import Spatial

MOST_BRANCHES = 4
GIVEN = Spatial(gamma=1.0, cap=math.inf)  # turns a map into itself


# Triton's types say that a call of a jit function never returns. Kernels, which call this first,
# overrule that where they unpack it; pyright looks no further into them.
@triton.jit
def part_of_program(channels, splits, BLOCK_C: tl.constexpr):
    """Return the sample, the split of its positions, the block of channels, and the channels.

    Neighbouring programs work on neighbouring channels, which share lines of a channels_last map.
    """
    blocks = tl.cdiv(channels, BLOCK_C)
    block = tl.program_id(0) % blocks
    row = tl.program_id(0) // blocks
    sample = (row // splits).to(tl.int64)  # offsets of a map may pass 2^31
    return sample, row % splits, block, block * BLOCK_C + tl.arange(0, BLOCK_C)


@triton.jit
def offsets(sample, c, p, stride_n, stride_c, stride_p):
    """Return the offsets of a tile, (BLOCK_C, BLOCK_P)."""
    columns = p.to(tl.int64)[None, :] * stride_p
    return sample * stride_n + c.to(tl.int64)[:, None] * stride_c + columns


@triton.jit
def store(at, value, inside):
    """Store a tile, rounded to the dtype of its place."""
    if at.dtype.element_ty.is_fp64():
        tl.store(at, value, inside)
    else:  # by float32, because Triton before 3.3 cannot turn float64 into bfloat16
        tl.store(at, value.to(tl.float32).to(at.dtype.element_ty), inside)


@triton.jit
def load_branches(
    coef, scale, shift, sample, c, mask, stride_n, stride_c, stride_k,
    K: tl.constexpr, HAS_NORM: tl.constexpr,
):  # fmt: skip
    """Return K slopes and intercepts of the channels, (BLOCK_C, 1) each; the rest is padding.

    They are those of x where they are given for u = scale x + shift.
    """
    at = coef + sample * stride_n + c * stride_c
    a0 = tl.load(at, mask, 0.0)[:, None]
    b0 = tl.load(at + K * stride_k, mask, 0.0)[:, None]
    a1, b1, a2, b2, a3, b3 = a0, b0, a0, b0, a0, b0
    if K > 1:
        a1 = tl.load(at + stride_k, mask, 0.0)[:, None]
        b1 = tl.load(at + (K + 1) * stride_k, mask, 0.0)[:, None]
    if K > 2:
        a2 = tl.load(at + 2 * stride_k, mask, 0.0)[:, None]
        b2 = tl.load(at + (K + 2) * stride_k, mask, 0.0)[:, None]
    if K > 3:
        a3 = tl.load(at + 3 * stride_k, mask, 0.0)[:, None]
        b3 = tl.load(at + (K + 3) * stride_k, mask, 0.0)[:, None]
    if HAS_NORM:
        t = tl.load(scale + c, mask, 0.0)[:, None]
        v = tl.load(shift + c, mask, 0.0)[:, None]
        b0, b1, b2, b3 = b0 + a0 * v, b1 + a1 * v, b2 + a2 * v, b3 + a3 * v
        a0, a1, a2, a3 = a0 * t, a1 * t, a2 * t, a3 * t
    return a0, a1, a2, a3, b0, b1, b2, b3


@triton.jit
def load_positions(values, sample, p, positions):
    """Return values (N, P) at the positions, (1, BLOCK_P)."""
    return tl.load(values + sample * positions + p, p < positions, 0.0)[None, :]


@triton.jit
def load_map(q, sample, p, positions, GAMMA: tl.constexpr, CAP: tl.constexpr):
    """Return the spatial map min(gamma q, cap) at the positions, (1, BLOCK_P); NaN stays NaN."""
    value = load_positions(q, sample, p, positions) * GAMMA
    cap = tl.full(value.shape, CAP, value.dtype)
    return tl.minimum(value, cap, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def maximum(x, a0, a1, a2, a3, b0, b1, b2, b3, K: tl.constexpr):
    """Return max_k (a_k x + b_k), NaN where a branch is NaN."""
    y = x * a0 + b0
    if K > 1:
        y = tl.maximum(y, x * a1 + b1, propagate_nan=tl.PropagateNan.ALL)
    if K > 2:
        y = tl.maximum(y, x * a2 + b2, propagate_nan=tl.PropagateNan.ALL)
    if K > 3:
        y = tl.maximum(y, x * a3 + b3, propagate_nan=tl.PropagateNan.ALL)
    return y


@triton.jit
def winner(x, a0, a1, a2, a3, b0, b1, b2, b3, K: tl.constexpr):
    """Return which branch takes the gradient: the last of the maximal ones."""
    top = x * a0 + b0
    last = tl.zeros(top.shape, tl.int32)
    if K > 1:
        y = x * a1 + b1
        last = tl.where(y >= top, 1, last)
        top = tl.maximum(top, y)
    if K > 2:
        y = x * a2 + b2
        last = tl.where(y >= top, 2, last)
        top = tl.maximum(top, y)
    if K > 3:
        last = tl.where(x * a3 + b3 >= top, 3, last)
    return last


@triton.jit
def slope_of(last, a0, a1, a2, a3, K: tl.constexpr):
    """Return the slopes of the branches that `last` names."""
    chosen = a0
    if K > 1:
        chosen = tl.where(last == 1, a1, chosen)
    if K > 2:
        chosen = tl.where(last == 2, a2, chosen)
    if K > 3:
        chosen = tl.where(last == 3, a3, chosen)
    return chosen


class Branches(NamedTuple):
    """How kernels read K branches and what is applied with them."""

    k: int
    strides: tuple[int, int, int]  # of the coefficients (N, C or 1, 2K); shared ones have a 0
    spatial: Spatial | None = None  # turns what is read into the map
    normalized: bool = False  # whether they are those of u = scale x + shift

    def constants(self) -> dict:
        """Return constants of the kernels that read branches."""
        gamma, cap = (1.0, math.inf) if self.spatial is None else self.spatial[1:]
        return dict(
            K=self.k, HAS_NORM=self.normalized, HAS_MAP=self.spatial is not None,
            GAMMA=gamma, CAP=cap,
        )  # fmt: skip


def branches_of(coef: Tensor, pi: Tensor | None) -> Branches:
    """Return the branches of coef (N, C or 1, 2K), and of a map that is there already."""
    strides = coef.stride(0), coef.stride(1) if coef.shape[1] > 1 else 0, coef.stride(2)
    return Branches(coef.shape[2] // 2, strides, None if pi is None else GIVEN)
