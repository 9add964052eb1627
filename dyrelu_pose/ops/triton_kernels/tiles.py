"""Device functions: which part of a map a program works on, and where that lies in memory."""

import triton
import triton.language as tl


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
