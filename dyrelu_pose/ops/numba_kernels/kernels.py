"""One loop per pass: `_first` reads maps (N, C, P), `_last` reads maps (N, P, C).

Each works on the samples `start` to `stop`, and writes what it computes into its last arguments.
`coef` is (N, 4, C), K = 2: slopes, then intercepts. pi is (N, P); what is None is not there, and
costs nothing: a loop is compiled for what it gets. `../README.md` derives what is computed; where
branches tie, the last is the winner, as everywhere.
"""

from collections.abc import Callable

import llvmlite.binding
import numba
import numpy as np

# A loop over 8 or 16 channels is shorter than what LLVM's vector loop takes at a time, several
# vectors, and falls to the one for the rest. This lets that one use vectors as well, of 4 numbers
# on. It holds for all that Numba compiles later in this process; an LLVM without it ignores it.
llvmlite.binding.set_option("", "-epilogue-vectorization-minimum-VF=4")

BLOCK = 64  # positions whose sum is added up by itself, so that long sums in float32 stay precise


def kernel(function: Callable) -> Callable:
    """Compile a loop at its first call, for as long as the file stays as it is.

    Sums may be reordered and products contracted, to use vectors; NaN and infinity count.
    """

    def compiled(cache: bool) -> Callable:
        fastmath = {"contract", "reassoc", "nsz"}
        return numba.njit(cache=cache, nogil=True, error_model="numpy", fastmath=fastmath)(function)

    try:
        return compiled(cache=True)
    except RuntimeError:  # there is no folder that a cache could be written to
        return compiled(cache=False)


@numba.njit(inline="always")
def maximum(first, second):
    """Return the larger number; NaN counts, as in torch.maximum."""
    return first if first > second or first != first else second


@kernel
def pool_first(start, stop, x, weight, mean, z):
    """Compute the mean of every plane (N, C), and the channels' sum weighted by (C,), (N, P)."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        z[n] = 0
        for c in range(channels):
            total = x.dtype.type(0)
            for p in range(positions):
                total += x[n, c, p]
                z[n, p] += weight[c] * x[n, c, p]
            mean[n, c] = total / positions


@kernel
def pool_last(start, stop, x, weight, mean, z):
    """Compute what `pool_first` does."""
    positions, channels = x.shape[1:]
    part = np.empty(channels, x.dtype)
    for n in range(start, stop):
        mean[n] = 0
        for block in range(0, positions, BLOCK):
            part[:] = 0
            for p in range(block, min(block + BLOCK, positions)):
                total = x.dtype.type(0)
                for c in range(channels):
                    part[c] += x[n, p, c]
                    total += weight[c] * x[n, p, c]
                z[n, p] = total
            for c in range(channels):
                mean[n, c] += part[c] / positions


@kernel
def plane_sums_first(start, stop, x, weight, sums):
    """Compute the sum of every plane (N, C), weighted by (N, P)."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        for c in range(channels):
            total = x.dtype.type(0)
            for p in range(positions):
                total += weight[n, p] * x[n, c, p]
            sums[n, c] = total


@kernel
def plane_sums_last(start, stop, x, weight, sums):
    """Compute what `plane_sums_first` does."""
    positions, channels = x.shape[1:]
    part = np.empty(channels, x.dtype)
    for n in range(start, stop):
        sums[n] = 0
        for block in range(0, positions, BLOCK):
            part[:] = 0
            for p in range(block, min(block + BLOCK, positions)):
                for c in range(channels):
                    part[c] += weight[n, p] * x[n, p, c]
            for c in range(channels):
                sums[n, c] += part[c]


@kernel
def moments_first(start, stop, x, mean, variance):
    """Compute the mean and the variance of every plane (N, C)."""
    channels, positions = x.shape[1:]
    zero = x.dtype.type(0)
    for n in range(start, stop):
        for c in range(channels):
            total = zero
            for p in range(positions):
                total += x[n, c, p]
            center = total / positions
            squares = zero
            for p in range(positions):
                squares += (x[n, c, p] - center) ** 2
            mean[n, c], variance[n, c] = center, squares / positions


@kernel
def moments_last(start, stop, x, mean, variance):
    """Compute what `moments_first` does."""
    positions, channels = x.shape[1:]
    part = np.empty(channels, x.dtype)
    for n in range(start, stop):
        mean[n] = 0
        variance[n] = 0
        for block in range(0, positions, BLOCK):
            part[:] = 0
            for p in range(block, min(block + BLOCK, positions)):
                for c in range(channels):
                    part[c] += x[n, p, c]
            for c in range(channels):
                mean[n, c] += part[c] / positions
        for block in range(0, positions, BLOCK):
            part[:] = 0
            for p in range(block, min(block + BLOCK, positions)):
                for c in range(channels):
                    part[c] += (x[n, p, c] - mean[n, c]) ** 2
            for c in range(channels):
                variance[n, c] += part[c] / positions


@kernel
def apply_first(start, stop, x, coef, pi, y):
    """Compute pi max_k (a_k x + b_k)."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            for p in range(positions):
                value = maximum(a0 * x[n, c, p] + b0, a1 * x[n, c, p] + b1)
                if pi is not None:
                    value *= pi[n, p]
                y[n, c, p] = value


@kernel
def apply_last(start, stop, x, coef, pi, y):
    """Compute what `apply_first` does."""
    positions, channels = x.shape[1:]
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        for p in range(positions):
            for c in range(channels):
                value = maximum(a0[c] * x[n, p, c] + b0[c], a1[c] * x[n, p, c] + b1[c])
                if pi is not None:
                    value *= pi[n, p]
                y[n, p, c] = value


@kernel
def reduce_first(start, stop, x, coef, pi, grad, grad_coef, grad_pi):
    """Compute the gradients of the coefficients (N, 4, C) and of pi (N, P)."""
    channels, positions = x.shape[1:]
    zero = x.dtype.type(0)
    for n in range(start, stop):
        if grad_pi is not None:
            grad_pi[n] = 0
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            slope0, slope1, intercept0, intercept1 = zero, zero, zero, zero
            for p in range(positions):
                value, fall = x[n, c, p], grad[n, c, p]
                first, second = a0 * value + b0, a1 * value + b1
                if grad_pi is not None:
                    grad_pi[n, p] += fall * maximum(first, second)
                    fall *= pi[n, p]
                fall0 = fall if first > second else zero
                fall1 = fall - fall0
                slope0 += fall0 * value
                slope1 += fall1 * value
                intercept0 += fall0
                intercept1 += fall1
            grad_coef[n, 0, c], grad_coef[n, 1, c] = slope0, slope1
            grad_coef[n, 2, c], grad_coef[n, 3, c] = intercept0, intercept1


@kernel
def reduce_last(start, stop, x, coef, pi, grad, grad_coef, grad_pi):
    """Compute what `reduce_first` does."""
    positions, channels = x.shape[1:]
    zero = x.dtype.type(0)
    part = np.empty((4, channels), x.dtype)
    slope0, slope1, intercept0, intercept1 = part[0], part[1], part[2], part[3]
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        grad_coef[n] = 0
        for block in range(0, positions, BLOCK):
            for k in range(4):
                for c in range(channels):
                    part[k, c] = zero
            for p in range(block, min(block + BLOCK, positions)):
                total = zero
                if pi is not None:
                    scale = pi[n, p]
                for c in range(channels):
                    value, fall = x[n, p, c], grad[n, p, c]
                    first, second = a0[c] * value + b0[c], a1[c] * value + b1[c]
                    if pi is not None:
                        total += fall * (first if first > second else second)
                        fall *= scale
                    fall0 = fall if first > second else zero
                    fall1 = fall - fall0
                    slope0[c] += fall0 * value
                    slope1[c] += fall1 * value
                    intercept0[c] += fall0
                    intercept1[c] += fall1
                if grad_pi is not None:
                    grad_pi[n, p] = total
            for k in range(4):
                for c in range(channels):
                    grad_coef[n, k, c] += part[k, c]


@kernel
def grad_input_first(
    start, stop, x, coef, pi, grad, shift, slope, grad_z, weight, grad_x, grad_weight
):
    """Compute the gradient of x, and that of the weights in each sample (N, C)."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            total = x.dtype.type(0)
            for p in range(positions):
                value, fall = x[n, c, p], grad[n, c, p]
                first, second = a0 * value + b0, a1 * value + b1
                if pi is not None:
                    fall *= pi[n, p]
                gradient = fall * (a0 if first > second else a1)
                if shift is not None:
                    gradient += shift[n, c]
                if slope is not None:
                    gradient += slope[c] * value
                if weight is not None:
                    gradient += grad_z[n, p] * weight[c]
                    total += grad_z[n, p] * value
                grad_x[n, c, p] = gradient
            if weight is not None:
                grad_weight[n, c] = total


@kernel
def grad_input_last(
    start, stop, x, coef, pi, grad, shift, slope, grad_z, weight, grad_x, grad_weight
):
    """Compute what `grad_input_first` does."""
    positions, channels = x.shape[1:]
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        if weight is not None:
            grad_weight[n] = 0
        for p in range(positions):
            for c in range(channels):
                value, fall = x[n, p, c], grad[n, p, c]
                first, second = a0[c] * value + b0[c], a1[c] * value + b1[c]
                if pi is not None:
                    fall *= pi[n, p]
                gradient = fall * (a0[c] if first > second else a1[c])
                if shift is not None:
                    gradient += shift[n, c]
                if slope is not None:
                    gradient += slope[c] * value
                if weight is not None:
                    gradient += grad_z[n, p] * weight[c]
                    grad_weight[n, c] += grad_z[n, p] * value
                grad_x[n, p, c] = gradient
