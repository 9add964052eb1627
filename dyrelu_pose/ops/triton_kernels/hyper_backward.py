"""The gradients of the hyper function in one launch, in which that of C's map has programs too.

The programs have three roles beside it. A hidden unit's weights in FC1 need its gradient for every
sample, and a sample's gradient needs that of every hidden unit: rather than wait for each other,
programs of both roles compute it.
"""

import triton
import triton.language as tl
from torch import Tensor

from dyrelu_pose.ops import hyper as with_torch
from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.spatial import Spatial

from . import hyper
from .launch import Launch, on_device
from .softmax import block_of_map, write_grad_of_softmax
from .tiles import GIVEN


@triton.jit
def grad_of_theta(
    grad_coef, scale, shift, delta, n, t, inside, stride_n, stride_g, stride_k, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, HAS_NORM: tl.constexpr,
):  # fmt: skip
    """Return the gradient of theta for samples n and outputs t, which broadcast.

    With a norm, `grad_coef` is that of coefficients of x, and they are given for scale x + shift.
    """
    g, k = t // (2 * K), t % (2 * K)
    at = grad_coef + n * stride_n + g * stride_g
    grad = tl.load(at + k * stride_k, inside, 0.0)
    if HAS_NORM:
        of_intercept = tl.load(at + (k % K + K) * stride_k, inside, 0.0)
        g += n * 0  # the shape of `inside`
        both = grad * tl.load(scale + g, inside, 0.0)
        both += of_intercept * tl.load(shift + g, inside, 0.0)
        grad = tl.where(k < K, both, grad)
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
    h, grad_coef, scale, shift, stride_n, stride_g, stride_k, delta, s, hidden, w2,
    grad_w1, grad_b1, samples, channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, HAS_NORM: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the gradients of the weights and the bias of hidden unit h in FC1."""
    n = tl.arange(0, BLOCK_N)
    sums = tl.zeros([BLOCK_N, BLOCK], s.dtype.element_ty)
    for start in range(0, outputs, BLOCK):
        t = start + tl.arange(0, BLOCK)
        inside = (n < samples)[:, None] & (t < outputs)[None, :]
        grad_theta = grad_of_theta(
            grad_coef, scale, shift, delta, n[:, None], t[None, :], inside,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B, HAS_NORM,
        )  # fmt: skip
        sums += grad_theta * tl.load(w2 + t * units + h, t < outputs, 0.0)[None, :]
    active = tl.load(hidden + n * units + h, n < samples, 0.0) > 0
    grad_unit = tl.where(active, tl.sum(sums, 1), 0.0)
    write_row(grad_unit, n, samples, s, channels, grad_w1 + h * channels, grad_b1 + h, BLOCK)


@triton.jit
def of_sample(
    n, grad_coef, scale, shift, stride_n, stride_g, stride_k, delta, hidden, w1, w2, grad_s,
    channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, HAS_NORM: tl.constexpr,
    BLOCK_H: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write the gradient of the pooled input of sample n."""
    h = tl.arange(0, BLOCK_H)
    sums = tl.zeros([BLOCK, BLOCK_H], grad_s.dtype.element_ty)
    for start in range(0, outputs, BLOCK):
        t = start + tl.arange(0, BLOCK)
        grad_theta = grad_of_theta(
            grad_coef, scale, shift, delta, n, t, t < outputs,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B, HAS_NORM,
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


@triton.jit
def write_gradients(
    program, grad_coef, s, hidden, delta, w1, w2, scale, shift,
    grad_s, grad_w1, grad_b1, grad_w2, grad_b2,
    stride_n, stride_g, stride_k, samples, channels, units, outputs,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, HAS_NORM: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_H: tl.constexpr, HELD: tl.constexpr,
):  # fmt: skip
    """Give the first programs a hidden unit each (the longest work), then a sample, an output."""
    if program < units:
        of_hidden_unit(
            program, grad_coef, scale, shift, stride_n, stride_g, stride_k, delta, s, hidden, w2,
            grad_w1, grad_b1, samples, channels, units, outputs,
            K, LAMBDA_A, LAMBDA_B, HAS_NORM, BLOCK_N, HELD // BLOCK_N,
        )  # fmt: skip
    elif program < units + samples:
        of_sample(
            program - units, grad_coef, scale, shift, stride_n, stride_g, stride_k, delta, hidden,
            w1, w2, grad_s, channels, units, outputs,
            K, LAMBDA_A, LAMBDA_B, HAS_NORM, BLOCK_H, HELD // BLOCK_H,
        )  # fmt: skip
    else:
        t = program - units - samples
        n = tl.arange(0, BLOCK_N)
        grad_theta = grad_of_theta(
            grad_coef, scale, shift, delta, n, t, n < samples,
            stride_n, stride_g, stride_k, outputs, K, LAMBDA_A, LAMBDA_B, HAS_NORM,
        )  # fmt: skip
        write_row(
            grad_theta, n, samples, hidden, units, grad_w2 + t * units, grad_b2 + t,
            HELD // BLOCK_N,
        )  # fmt: skip


@triton.jit(do_not_specialize=["samples", "parts_of_pi"])
def hyper_backward_kernel(
    grad_coef, s, hidden, delta, w1, w2, scale, shift, q, grad_pi,
    grad_s, grad_w1, grad_b1, grad_w2, grad_b2, grad_z,
    stride_n, stride_g, stride_k, samples, channels, units, outputs, parts_of_pi, positions,
    K: tl.constexpr, LAMBDA_A: tl.constexpr, LAMBDA_B: tl.constexpr, HAS_NORM: tl.constexpr,
    HAS_MAP: tl.constexpr, TAU: tl.constexpr, GAMMA: tl.constexpr, CAP: tl.constexpr,
    BLOCK_N: tl.constexpr, BLOCK_H: tl.constexpr, HELD: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Give the first programs a sample's spatial map each, the others a role of the rest."""
    program = tl.program_id(0)
    if HAS_MAP:
        if program < samples:
            write_grad_of_softmax(
                program, q, grad_pi, grad_z, parts_of_pi, positions, TAU, GAMMA, CAP, BLOCK_P
            )
        else:
            write_gradients(
                program - samples, grad_coef, s, hidden, delta, w1, w2, scale, shift,
                grad_s, grad_w1, grad_b1, grad_w2, grad_b2,
                stride_n, stride_g, stride_k, samples, channels, units, outputs,
                K, LAMBDA_A, LAMBDA_B, HAS_NORM, BLOCK_N, BLOCK_H, HELD,
            )  # fmt: skip
    else:
        write_gradients(
            program, grad_coef, s, hidden, delta, w1, w2, scale, shift,
            grad_s, grad_w1, grad_b1, grad_w2, grad_b2,
            stride_n, stride_g, stride_k, samples, channels, units, outputs,
            K, LAMBDA_A, LAMBDA_B, HAS_NORM, BLOCK_N, BLOCK_H, HELD,
        )  # fmt: skip


def hyper_backward_launch(
    sizes: hyper.Sizes,
    ranges: Ranges,
    strides: tuple[int, ...],
    spatial: Spatial | None = None,
    parts_of_pi: int = 0,
    normalized: bool = False,
) -> Launch:
    """Return the launch for grad_coef, what the forward pass left, weights, and all gradients.

    Args:
        sizes: hyper.Sizes of the hyper function.
        ranges: Ranges of the coefficients.
        strides: Strides of the gradient of the coefficients, (N, G, 2K).
        spatial: Constants of the spatial map, if its gradient is computed too.
        parts_of_pi: Partial sums of the gradient of the map, (N, parts, P).
        normalized: Whether scale and shift of a norm are given.
    """
    samples, channels, units, outputs, positions = sizes
    tau, gamma, cap = spatial or GIVEN
    return Launch(
        hyper_backward_kernel,
        units + samples + outputs + (samples if spatial else 0),
        (*strides, samples, channels, units, outputs, parts_of_pi, positions), hyper.WARPS,
        K=ranges.k, LAMBDA_A=ranges.lambda_a, LAMBDA_B=ranges.lambda_b, HAS_NORM=normalized,
        HAS_MAP=spatial is not None, TAU=tau, GAMMA=gamma, CAP=cap,
        BLOCK_N=hyper.side(samples), BLOCK_H=hyper.side(units), HELD=hyper.TILE,
        BLOCK_P=block_of_map(positions),
    )  # fmt: skip


def hyper_backward(
    grad_coef: Tensor, s: Tensor, hidden: Tensor, delta: Tensor, weights: Hyper, ranges: Ranges
) -> tuple[Tensor, Hyper]:
    """Return the gradients of the pooled input (N, C) and of the weights; as `ops.hyper` does."""
    sizes = hyper.sizes_of(len(s), weights)
    if not sizes.fit:
        return with_torch.hyper_backward(grad_coef, s, hidden, delta, weights, ranges)
    grad_s = s.new_empty(s.shape)
    grads = Hyper(*(weight.new_empty(weight.shape) for weight in weights))
    read = (s, hidden, delta, weights.fc1_weight, weights.fc2_weight)
    with on_device(s):
        hyper_backward_launch(sizes, ranges, grad_coef.stride())(
            grad_coef, *(tensor.contiguous() for tensor in read), None, None, None, None,
            grad_s, *grads, None,
        )  # fmt: skip
    return grad_s, grads
