"""Device functions: the linear branches of a tile, up to four of them.

Branches are spelt out because Triton before 3.3 cannot hold a list of tensors.
"""

import triton
import triton.language as tl
from torch import Tensor

MOST = 4


@triton.jit
def load(coef, sample, c, mask, stride_n, stride_c, stride_k, K: tl.constexpr):
    """Return K slopes and intercepts of the channels, (BLOCK_C, 1) each; the rest is padding."""
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
    return a0, a1, a2, a3, b0, b1, b2, b3


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
def slope(last, a0, a1, a2, a3, K: tl.constexpr):
    """Return the slopes of the branches that `last` names."""
    chosen = a0
    if K > 1:
        chosen = tl.where(last == 1, a1, chosen)
    if K > 2:
        chosen = tl.where(last == 2, a2, chosen)
    if K > 3:
        chosen = tl.where(last == 3, a3, chosen)
    return chosen


def args(coef: Tensor) -> tuple:
    """Return what a kernel takes of coef (N, C or 1, 2K); shared, it has a stride of 0."""
    return coef, coef.stride(0), coef.stride(1) if coef.shape[1] > 1 else 0, coef.stride(2)
