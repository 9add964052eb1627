"""The hyper function and its gradients, in one launch each.

The programs of the backward pass have three roles. A hidden unit's weights in FC1 need its gradient
for every sample, and a sample's gradient needs that of every hidden unit: rather than wait for each
other, programs of both roles compute it.
"""

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops import hyper as with_torch
from dyrelu_pose.ops.hyper import Hyper, Ranges

from .blocks import parts, power_of_two
from .launch import launch

TILE = 4096  # weights, or gradients, that a program of 8 warps holds at a time
WARPS = 8
# A program reads all weights for one sample, and in the backward pass the gradients of all samples
# for one hidden unit, from the L2 cache: 1 or 2 MiB at this many elements. One processor takes some
# 10 to 30 us for that (estimated, not timed), and so do the ten or so launches of matrix products
# that one kernel replaces. Above, the products win: they use the whole GPU.
MOST = 2**18
LONGEST = 1024  # samples or hidden units that fit into one tile with room for a second dimension


def fits(samples: int, hyper: Hyper) -> bool:
    """Return whether one kernel computes the hyper function well; cuBLAS does above that."""
    hidden = hyper.fc1_weight.shape[0]
    weights = hyper.fc1_weight.numel() + hyper.fc2_weight.numel()
    gradients = samples * hyper.fc2_weight.shape[0]
    return max(weights, gradients) <= MOST and max(samples, hidden) <= LONGEST


def side(size: int) -> int:
    """Return a power of two that is not below `size`, at least 16 to have fewer variants."""
    return max(16, power_of_two(size))


@triton.jit(do_not_specialize=["rows", "blocks"])
def hyper_forward_kernel(
    s, w1, b1, w2, b2, hidden, delta, coef, channels, units, outputs, rows, blocks,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, REST: tl.constexpr,
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
        center = tl.where(k == 0, 1.0, tl.where(k < K, REST, 0.0))
        value = tl.where(k < K, d * LAMBDA_A, d * LAMBDA_B) + center
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
    block = max(1, TILE // side(units))
    # As many outputs as there are channels cost what the hidden layer does, which is repeated.
    rows = parts(max(channels, block), block) * block
    blocks = parts(outputs, rows)
    launch(
        hyper_forward_kernel, samples * blocks, s, s.contiguous(),
        *(weight.contiguous() for weight in hyper),
        hidden, delta, coef, channels, units, outputs, rows, blocks,
        K=ranges.k, LAMBDA_A=ranges.lambda_a, LAMBDA_B=ranges.lambda_b, REST=ranges.rest,
        BLOCK_H=side(units), BLOCK=block, warps=WARPS,
    )  # fmt: skip
    return hidden, delta, coef.mT


@triton.jit
def grad_of_theta(
    grad_coef, delta, n, t, inside, stride_n, stride_g, stride_k, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr,
):  # fmt: skip
    """Return the gradient of theta for samples n and outputs t, which broadcast."""
    g, k = t // (2 * K), t % (2 * K)
    grad = tl.load(grad_coef + n * stride_n + g * stride_g + k * stride_k, inside, 0.0)
    d = tl.load(delta + n * outputs + t, inside, 0.0)
    return tl.where(k < K, grad * LAMBDA_A, grad * LAMBDA_B) * (0.5 - 0.5 * d * d)


@triton.jit
def write_row(left, n, samples, right, columns, out, out_bias, BLOCK: tl.constexpr):
    """Write a row of a weight's gradient, sum_n left_n right_n, and its bias's, sum_n left_n."""
    for start in range(0, columns, BLOCK):
        c = start + tl.arange(0, BLOCK)
        inside = (n < samples)[:, None] & (c < columns)[None, :]
        rows = tl.load(right + n[:, None] * columns + c[None, :], inside, 0.0)
        tl.store(out + c, tl.sum(left[:, None] * rows, 0), c < columns)
    tl.store(out_bias, tl.sum(left, 0))


@triton.jit
def of_hidden_unit(
    h, grad_coef, stride_n, stride_g, stride_k, delta, s, hidden, w2, grad_w1, grad_b1,
    samples, channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the gradients of the weights and the bias of hidden unit h in FC1."""
    n = tl.arange(0, BLOCK_N)
    sums = tl.zeros([BLOCK_N, BLOCK], s.dtype.element_ty)
    for start in range(0, outputs, BLOCK):
        t = start + tl.arange(0, BLOCK)
        inside = (n < samples)[:, None] & (t < outputs)[None, :]
        grad_theta = grad_of_theta(
            grad_coef, delta, n[:, None], t[None, :], inside,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B,
        )  # fmt: skip
        sums += grad_theta * tl.load(w2 + t * units + h, t < outputs, 0.0)[None, :]
    active = tl.load(hidden + n * units + h, n < samples, 0.0) > 0
    grad_unit = tl.where(active, tl.sum(sums, 1), 0.0)
    write_row(grad_unit, n, samples, s, channels, grad_w1 + h * channels, grad_b1 + h, BLOCK)


@triton.jit
def of_sample(
    n, grad_coef, stride_n, stride_g, stride_k, delta, hidden, w1, w2, grad_s,
    channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr,
    BLOCK_H: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the gradient of the pooled input of sample n."""
    h = tl.arange(0, BLOCK_H)
    sums = tl.zeros([BLOCK, BLOCK_H], grad_s.dtype.element_ty)
    for start in range(0, outputs, BLOCK):
        t = start + tl.arange(0, BLOCK)
        grad_theta = grad_of_theta(
            grad_coef, delta, n, t, t < outputs,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B,
        )  # fmt: skip
        inside = (t < outputs)[:, None] & (h < units)[None, :]
        sums += grad_theta[:, None] * tl.load(w2 + t[:, None] * units + h[None, :], inside, 0.0)
    active = tl.load(hidden + n * units + h, h < units, 0.0) > 0
    grad_unit = tl.where(active, tl.sum(sums, 0), 0.0)
    for start in range(0, channels, BLOCK):
        c = start + tl.arange(0, BLOCK)
        inside = (h < units)[:, None] & (c < channels)[None, :]
        weight = tl.load(w1 + h[:, None] * channels + c[None, :], inside, 0.0)
        sums_c = tl.sum(grad_unit[:, None] * weight, 0)
        tl.store(grad_s + n * channels + c, sums_c, c < channels)


@triton.jit(do_not_specialize=["samples"])
def hyper_backward_kernel(
    grad_coef, stride_n, stride_g, stride_k, s, hidden, delta, w1, w2,
    grad_s, grad_w1, grad_b1, grad_w2, grad_b2, samples, channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_H: tl.constexpr, HELD: tl.constexpr,
):  # fmt: skip
    """Give the first programs a hidden unit each (the longest work), then a sample, an output."""
    program = tl.program_id(0)
    if program < units:
        of_hidden_unit(
            program, grad_coef, stride_n, stride_g, stride_k, delta, s, hidden, w2,
            grad_w1, grad_b1, samples, channels, units, outputs,
            K, LAMBDA_A, LAMBDA_B, BLOCK_N, HELD // BLOCK_N,
        )  # fmt: skip
    elif program < units + samples:
        of_sample(
            program - units, grad_coef, stride_n, stride_g, stride_k, delta, hidden, w1, w2,
            grad_s, channels, units, outputs,
            K, LAMBDA_A, LAMBDA_B, BLOCK_H, HELD // BLOCK_H,
        )  # fmt: skip
    else:
        t = program - units - samples
        n = tl.arange(0, BLOCK_N)
        grad_theta = grad_of_theta(
            grad_coef, delta, n, t, n < samples,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B,
        )  # fmt: skip
        write_row(
            grad_theta, n, samples, hidden, units, grad_w2 + t * units, grad_b2 + t,
            HELD // BLOCK_N,
        )  # fmt: skip


def hyper_backward(
    grad_coef: Tensor, s: Tensor, hidden: Tensor, delta: Tensor, hyper: Hyper, ranges: Ranges
) -> tuple[Tensor, Hyper]:
    """Return the gradients of the pooled input (N, C) and of the weights; as `ops.hyper` does."""
    if not fits(len(s), hyper):
        return with_torch.hyper_backward(grad_coef, s, hidden, delta, hyper, ranges)
    samples, channels = s.shape
    outputs, units = hyper.fc2_weight.shape
    grad_s = s.new_empty(s.shape)
    grads = Hyper(*(weight.new_empty(weight.shape) for weight in hyper))
    launch(
        hyper_backward_kernel, units + samples + outputs, s,
        grad_coef, *grad_coef.stride(), s.contiguous(), hidden.contiguous(), delta.contiguous(),
        hyper.fc1_weight.contiguous(), hyper.fc2_weight.contiguous(), grad_s, *grads,
        samples, channels, units, outputs,
        K=ranges.k, LAMBDA_A=ranges.lambda_a, LAMBDA_B=ranges.lambda_b,
        BLOCK_N=side(samples), BLOCK_H=side(units), HELD=TILE, warps=WARPS,
    )  # fmt: skip
    return grad_s, grads
