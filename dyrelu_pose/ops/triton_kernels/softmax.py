"""The softmax of C's spatial map, and its gradient: one program per sample, beside other work.

What one pass over the positions writes, the next would have to wait for: each pass reads the
partial sums again instead, which the cache holds.
"""

import triton
import triton.language as tl

from .blocks import power_of_two

LARGEST = 4096  # positions at a time: 16 per thread of 8 warps


def block_of_map(positions: int) -> int:
    """Return how many positions a program takes at a time; 16 at least to have fewer variants."""
    return max(16, min(power_of_two(positions), LARGEST))


@triton.jit
def sum_of_parts(at, parts, positions, p, inside):
    """Return the sum over (parts, P) at some positions."""
    total = tl.load(at + p, inside, 0.0)
    for part in range(1, parts):
        total += tl.load(at + part * positions + p, inside, 0.0)
    return total


@triton.jit
def write_softmax(n, z, q, parts, positions, TAU: tl.constexpr, BLOCK_P: tl.constexpr):
    """Write q, P times the softmax of z / tau, for sample n of partial sums z (N, parts, P).

    As e / mean(e) it is exactly 1 where z is flat.
    """
    n = n.to(tl.int64)
    at = z + n * parts * positions
    lanes = tl.full([BLOCK_P], float("-inf"), z.dtype.element_ty)
    for start in range(0, positions, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        value = sum_of_parts(at, parts, positions, p, p < positions)
        lanes = tl.where(p < positions, tl.maximum(lanes, value), lanes)
    most = tl.max(lanes, 0)
    sums = tl.zeros([BLOCK_P], z.dtype.element_ty)
    for start in range(0, positions, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        value = sum_of_parts(at, parts, positions, p, p < positions)
        sums += tl.where(p < positions, tl.exp((value - most) / TAU), 0.0)
    mean = tl.sum(sums, 0) / positions
    for start in range(0, positions, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        value = sum_of_parts(at, parts, positions, p, p < positions)
        tl.store(q + n * positions + p, tl.exp((value - most) / TAU) / mean, p < positions)


@triton.jit
def weighted(at, grad, parts, positions, p, GAMMA: tl.constexpr, CAP: tl.constexpr):
    """Return q at some positions, and q times its gradient: none where the map is capped."""
    q = tl.load(at + p, p < positions, 0.0)
    of_q = GAMMA * sum_of_parts(grad, parts, positions, p, p < positions)
    return q, q * tl.where(GAMMA * q > CAP, 0.0, of_q)


@triton.jit
def write_grad_of_softmax(
    n, q, grad_pi, grad_z, parts, positions,
    TAU: tl.constexpr, GAMMA: tl.constexpr, CAP: tl.constexpr, BLOCK_P: tl.constexpr,
):  # fmt: skip
    """Write the gradient of z for sample n of partial sums `grad_pi` (N, parts, P)."""
    n = n.to(tl.int64)
    at, grad = q + n * positions, grad_pi + n * parts * positions
    sums = tl.zeros([BLOCK_P], q.dtype.element_ty)
    for start in range(0, positions, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        sums += weighted(at, grad, parts, positions, p, GAMMA, CAP)[1]
    mean = tl.sum(sums, 0) / positions
    for start in range(0, positions, BLOCK_P):
        p = start + tl.arange(0, BLOCK_P)
        value, product = weighted(at, grad, parts, positions, p, GAMMA, CAP)
        tl.store(grad_z + n * positions + p, (product - value * mean) / TAU, p < positions)
