"""The hyper function from the pooled input to coefficients, in one launch."""

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops import hyper as with_torch
from dyrelu_pose.ops.hyper import Hyper, Ranges

from . import hyper_sizes
from .hyper_sizes import WARPS, fits, side
from .launch import launch


@triton.jit(do_not_specialize=["rows", "blocks"])
def hyper_forward_kernel(
    s, w1, b1, w2, b2, hidden, delta, coef, channels, units, outputs, rows, blocks,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr,
    BLOCK_H: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Compute, per program, all hidden units of a sample and some `rows` of its outputs."""
    n = tl.program_id(0) // blocks
    part = tl.program_id(0) % blocks
    h = tl.arange(0, BLOCK_H)
    wide = s.dtype.element_ty

    sums = tl.zeros([BLOCK_H, BLOCK], wide)
    for start in range(0, channels, BLOCK):
        c = start + tl.arange(0, BLOCK)
        inside = (h < units)[:, None] & (c < channels)[None, :]
        weight = tl.load(w1 + h[:, None] * channels + c[None, :], inside, 0.0)
        sums += weight * tl.load(s + n * channels + c, c < channels, 0.0)[None, :]
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
        value = tl.where(k < K, d * LAMBDA_A, d * LAMBDA_B) + tl.where(k == 0, 1.0, 0.0)
        # Slopes and intercepts apart, each over all channels: a map's tiles read them in one piece.
        at = k * (outputs // (2 * K)) + t // (2 * K)
        tl.store(coef + n * outputs + at, value, t < last)


def hyper_forward(s: Tensor, hyper: Hyper, ranges: Ranges) -> tuple[Tensor, Tensor, Tensor]:
    """Return the hidden layer (N, C / R), delta and the coefficients, for the pooled input (N, C).

    Delta and the coefficients are (N, G, 2K); the coefficients lie in memory as (N, 2K, G).
    """
    if not fits(len(s), hyper):
        hidden, delta, coef = with_torch.hyper_forward(s, hyper, ranges)
        return hidden, delta, coef.mT.contiguous().mT
    samples, channels = s.shape
    units, outputs = hyper.fc2_weight.shape[1], hyper.fc2_weight.shape[0]
    hidden = s.new_empty((samples, units))
    delta = s.new_empty((samples, outputs // (2 * ranges.k), 2 * ranges.k))
    coef = s.new_empty((samples, 2 * ranges.k, outputs // (2 * ranges.k)))
    block = max(1, hyper_sizes.TILE // side(units))
    # As many outputs as there are channels cost what the hidden layer does, which is repeated.
    rows = triton.cdiv(max(channels, block), block) * block
    blocks = triton.cdiv(outputs, rows)
    launch(
        hyper_forward_kernel, samples * blocks, s, s.contiguous(),
        *(weight.contiguous() for weight in hyper),
        hidden, delta, coef, channels, units, outputs, rows, blocks,
        K=ranges.k, LAMBDA_A=ranges.lambda_a, LAMBDA_B=ranges.lambda_b,
        BLOCK_H=side(units), BLOCK=block, warps=WARPS,
    )  # fmt: skip
    return hidden, delta, coef.mT
