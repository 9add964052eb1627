"""The gradients of the hyper function, in one launch whose programs have three roles.

A hidden unit's weights in FC1 need its gradient for every sample, and a sample's gradient needs
that of every hidden unit: rather than wait for each other, programs of both roles compute it.
"""

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops import hyper as with_torch
from dyrelu_pose.ops.hyper import Hyper, Ranges

from . import hyper_sizes
from .hyper_sizes import WARPS, fits, side
from .launch import launch


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
        BLOCK_N=side(samples), BLOCK_H=side(units), HELD=hyper_sizes.TILE, warps=WARPS,
    )  # fmt: skip
    return grad_s, grads
