"""The same loops for a sum, w = t x + t_r r, which is added up anew in each; see `kernels.py`.

t and t_r are (C,); a t_r of None counts as 1.
"""

import numba
import numpy as np

from .kernels import BLOCK, kernel, maximum


@numba.njit(inline="always")
def _sum(t, x, t_r, r, c):
    return t[c] * x + r if t_r is None else t[c] * x + t_r[c] * r


@numba.njit(inline="always")
def _through(t, gradient, slope, shift, value, c):
    """Return the gradient of one summand; slope and shift come and go together."""
    result = gradient if t is None else t[c] * gradient
    return result if slope is None else result + (slope[c] * value + shift[c])


@kernel
def apply_first(start, stop, x, t, r, t_r, coef, pi, y):
    """Compute pi max_k (a_k w + b_k)."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            for p in range(positions):
                w = _sum(t, x[n, c, p], t_r, r[n, c, p], c)
                value = maximum(a0 * w + b0, a1 * w + b1)
                if pi is not None:
                    value *= pi[n, p]
                y[n, c, p] = value


@kernel
def apply_last(start, stop, x, t, r, t_r, coef, pi, y):
    """Compute what `apply_first` does."""
    positions, channels = x.shape[1:]
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        for p in range(positions):
            for c in range(channels):
                w = _sum(t, x[n, p, c], t_r, r[n, p, c], c)
                value = maximum(a0[c] * w + b0[c], a1[c] * w + b1[c])
                if pi is not None:
                    value *= pi[n, p]
                y[n, p, c] = value


@kernel
def reduce_first(start, stop, x, t, r, t_r, coef, pi, grad, grad_coef, grad_pi, moment, moment_r):
    """Compute the gradients of coefficients (N, 4, C) and pi (N, P), and the moments (N, C)."""
    channels, positions = x.shape[1:]
    zero = x.dtype.type(0)
    for n in range(start, stop):
        if grad_pi is not None:
            grad_pi[n] = 0
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            slope0, slope1, intercept0, intercept1 = zero, zero, zero, zero
            of_x, of_r = zero, zero
            for p in range(positions):
                w, fall = _sum(t, x[n, c, p], t_r, r[n, c, p], c), grad[n, c, p]
                first, second = a0 * w + b0, a1 * w + b1
                if grad_pi is not None:
                    grad_pi[n, p] += fall * maximum(first, second)
                    fall *= pi[n, p]
                fall0 = fall if first > second else zero
                fall1 = fall - fall0
                slope0 += fall0 * w
                slope1 += fall1 * w
                intercept0 += fall0
                intercept1 += fall1
                gradient = a0 * fall0 + a1 * fall1
                of_x += gradient * x[n, c, p]
                if t_r is not None:
                    of_r += gradient * r[n, c, p]
            grad_coef[n, 0, c], grad_coef[n, 1, c] = slope0, slope1
            grad_coef[n, 2, c], grad_coef[n, 3, c] = intercept0, intercept1
            moment[n, c] = of_x
            if t_r is not None:
                moment_r[n, c] = of_r


@kernel
def reduce_last(start, stop, x, t, r, t_r, coef, pi, grad, grad_coef, grad_pi, moment, moment_r):
    """Compute what `reduce_first` does."""
    positions, channels = x.shape[1:]
    zero = x.dtype.type(0)
    part = np.empty((6, channels), x.dtype)
    slope0, slope1, intercept0, intercept1, of_x, of_r = (
        part[0], part[1], part[2], part[3], part[4], part[5],
    )  # fmt: skip
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        grad_coef[n] = 0
        moment[n] = 0
        if t_r is not None:
            moment_r[n] = 0
        for block in range(0, positions, BLOCK):
            part[:] = zero
            for p in range(block, min(block + BLOCK, positions)):
                total = zero
                if pi is not None:
                    scale = pi[n, p]
                for c in range(channels):
                    w, fall = _sum(t, x[n, p, c], t_r, r[n, p, c], c), grad[n, p, c]
                    first, second = a0[c] * w + b0[c], a1[c] * w + b1[c]
                    if pi is not None:
                        total += fall * (first if first > second else second)
                        fall *= scale
                    fall0 = fall if first > second else zero
                    fall1 = fall - fall0
                    slope0[c] += fall0 * w
                    slope1[c] += fall1 * w
                    intercept0[c] += fall0
                    intercept1[c] += fall1
                    gradient = a0[c] * fall0 + a1[c] * fall1
                    of_x[c] += gradient * x[n, p, c]
                    if t_r is not None:
                        of_r[c] += gradient * r[n, p, c]
                if grad_pi is not None:
                    grad_pi[n, p] = total
            for c in range(channels):
                for k in range(4):
                    grad_coef[n, k, c] += part[k, c]
                moment[n, c] += of_x[c]
                if t_r is not None:
                    moment_r[n, c] += of_r[c]


@kernel
def grad_first(
    start, stop, x, t, r, t_r, coef, pi, grad, mean, slope, shift, slope_r, shift_r, grad_z, weight,
    grad_x, grad_r
):  # fmt: skip
    """Compute the gradients of x and r; `mean` (N, C) is added to that of every w."""
    channels, positions = x.shape[1:]
    for n in range(start, stop):
        for c in range(channels):
            a0, a1, b0, b1 = coef[n, 0, c], coef[n, 1, c], coef[n, 2, c], coef[n, 3, c]
            for p in range(positions):
                first, second = x[n, c, p], r[n, c, p]
                w = _sum(t, first, t_r, second, c)
                fall = grad[n, c, p]
                if pi is not None:
                    fall *= pi[n, p]
                a = a0 if a0 * w + b0 > a1 * w + b1 else a1
                gradient = fall * a + mean[n, c]
                if weight is not None:
                    gradient += grad_z[n, p] * weight[c]
                grad_x[n, c, p] = _through(t, gradient, slope, shift, first, c)
                grad_r[n, c, p] = _through(t_r, gradient, slope_r, shift_r, second, c)


@kernel
def grad_last(
    start, stop, x, t, r, t_r, coef, pi, grad, mean, slope, shift, slope_r, shift_r, grad_z, weight,
    grad_x, grad_r
):  # fmt: skip
    """Compute what `grad_first` does."""
    positions, channels = x.shape[1:]
    for n in range(start, stop):
        a0, a1, b0, b1 = coef[n, 0], coef[n, 1], coef[n, 2], coef[n, 3]
        for p in range(positions):
            for c in range(channels):
                first, second = x[n, p, c], r[n, p, c]
                w = _sum(t, first, t_r, second, c)
                fall = grad[n, p, c]
                if pi is not None:
                    fall *= pi[n, p]
                a = a0[c] if a0[c] * w + b0[c] > a1[c] * w + b1[c] else a1[c]
                gradient = fall * a + mean[n, c]
                if weight is not None:
                    gradient += grad_z[n, p] * weight[c]
                grad_x[n, p, c] = _through(t, gradient, slope, shift, first, c)
                grad_r[n, p, c] = _through(t_r, gradient, slope_r, shift_r, second, c)
