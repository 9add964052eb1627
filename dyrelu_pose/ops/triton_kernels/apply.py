"""The forward pass over a map."""

import triton
import triton.language as tl
from torch import Tensor

from .blocks import blocks_to_write
from .launch import Launch, on_device
from .maps import Planes, empty_like, planes
from .tiles import (
    Branches,
    branches_of,
    load_branches,
    load_map,
    maximum,
    offsets,
    part_of_program,
    store,
)  # fmt: skip


@triton.jit(do_not_specialize=["splits"])
def apply_kernel(
    x, y, coef, q, scale, shift,
    x_n, x_c, x_p, y_n, y_c, y_p, coef_n, coef_c, coef_k, channels, positions, splits,
    K: tl.constexpr, HAS_NORM: tl.constexpr, HAS_MAP: tl.constexpr, GAMMA: tl.constexpr,
    CAP: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write y for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, scale, shift, sample, c, c < channels, coef_n, coef_c, coef_k, K, HAS_NORM
    )
    value = tl.load(x + offsets(sample, c, p, x_n, x_c, x_p), inside, 0.0)
    result = maximum(value.to(a0.dtype), a0, a1, a2, a3, b0, b1, b2, b3, K)
    if HAS_MAP:
        result *= load_map(q, sample, p, positions, GAMMA, CAP)
    store(y + offsets(sample, c, p, y_n, y_c, y_p), result, inside)


def apply_launch(x: Planes, y: Planes, branches: Branches) -> Launch:
    """Return the launch for x, y, coefficients, map before its cap, and the norm's scale, shift."""
    blocks = blocks_to_write(x)
    return Launch(
        apply_kernel, blocks.programs(x),
        (*x.strides, *y.strides, *branches.strides, *x.shape[1:], blocks.splits),
        blocks.warps, **branches.constants(), BLOCK_C=blocks.channels, BLOCK_P=blocks.positions,
    )  # fmt: skip


def apply(x: Tensor, coef: Tensor, pi: Tensor | None) -> Tensor:
    """Return pi max_k (a_k x + b_k) in the order of `x`; pi is (N, P) or None."""
    view = planes(x)
    y = empty_like(view.tensor)
    _write(view, planes(y), coef, pi)
    return y


def apply_(x: Tensor, coef: Tensor, pi: Tensor | None) -> None:
    """Overwrite x, which lies in memory without gaps, with pi max_k (a_k x + b_k)."""
    view = planes(x)
    _write(view, view, coef, pi)


def _write(view: Planes, y: Planes, coef: Tensor, pi: Tensor | None) -> None:
    pi = None if pi is None else pi.contiguous()
    with on_device(view.tensor):
        apply_launch(view, y, branches_of(coef, pi))(view.tensor, y.tensor, coef, pi, None, None)
