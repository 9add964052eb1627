"""Partial sums added up in a launch, in a fixed order."""

import triton
import triton.language as tl

from .blocks import parts
from .launch import Launch

COLUMNS = 32
ROWS = 128  # at a time
WARPS = 8


@triton.jit(do_not_specialize=["count"])
def total_kernel(
    parts, out, count, size,
    BLOCK_ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add up `count` rows of partial sums (N, count, size) in some columns of one of N."""
    blocks = tl.cdiv(size, BLOCK)
    n = (tl.program_id(0) // blocks).to(tl.int64)
    column = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    sums = tl.zeros([BLOCK_ROWS, BLOCK], out.dtype.element_ty)
    for start in range(0, count, BLOCK_ROWS):
        row = start + tl.arange(0, BLOCK_ROWS)
        inside = (row < count)[:, None] & (column < size)[None, :]
        at = (n * count + row.to(tl.int64))[:, None] * size + column[None, :]
        sums += tl.load(parts + at, inside, 0.0)
    tl.store(out + n * size + column, tl.sum(sums, 0), column < size)


def total_launch(samples: int, count: int, size: int) -> Launch:
    """Return the launch for partial sums (N, count, size) and their sums (N, size)."""
    return Launch(
        total_kernel, samples * parts(size, COLUMNS), (count, size), WARPS,
        BLOCK_ROWS=ROWS, BLOCK=COLUMNS,
    )  # fmt: skip
