"""The forward pass over a map."""

import triton
import triton.language as tl
from torch import Tensor

from .blocks import blocks_to_write
from .launch import launch
from .maps import Planes, empty_like, planes
from .tiles import branch_args, load_branches, maximum, offsets, part_of_program, store


@triton.jit(do_not_specialize=["splits"])
def apply_kernel(
    x, x_n, x_c, x_p, y, y_n, y_c, y_p, coef, coef_n, coef_c, coef_k, pi,
    channels, positions, splits,
    K: tl.constexpr, HAS_PI: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write y for one tile of channels and positions per program."""
    sample, split, block, c = part_of_program(  # pyright: ignore[reportGeneralTypeIssues]
        channels, splits, BLOCK_C
    )
    p = split * BLOCK_P + tl.arange(0, BLOCK_P)
    inside = (c < channels)[:, None] & (p < positions)[None, :]
    a0, a1, a2, a3, b0, b1, b2, b3 = load_branches(
        coef, sample, c, c < channels, coef_n, coef_c, coef_k, K
    )
    value = tl.load(x + offsets(sample, c, p, x_n, x_c, x_p), inside, 0.0)
    result = maximum(value.to(a0.dtype), a0, a1, a2, a3, b0, b1, b2, b3, K)
    if HAS_PI:
        result *= tl.load(pi + sample * positions + p, p < positions, 0.0)[None, :]
    store(y + offsets(sample, c, p, y_n, y_c, y_p), result, inside)


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
    _, channels, positions = view.shape
    blocks = blocks_to_write(view)
    launch(
        apply_kernel, blocks.programs(view), coef, *view.args, *y.args, *branch_args(coef),
        None if pi is None else pi.contiguous(), channels, positions, blocks.splits,
        K=coef.shape[2] // 2, HAS_PI=pi is not None,
        BLOCK_C=blocks.channels, BLOCK_P=blocks.positions, warps=blocks.warps,
    )  # fmt: skip
