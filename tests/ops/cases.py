"""Inputs for the tests of the op and of whole layers, and how results are compared."""

import pytest
import torch

from dyrelu_pose.ops import Hyper, Ranges, Spatial
from dyrelu_pose.ops.backends import HAS_NUMBA

NUMBA = pytest.param(
    "numba", marks=pytest.mark.skipif(not HAS_NUMBA, reason="needs the package numba")
)

# Largest error allowed, relative to the largest value of the tensor compared.
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 8e-3, torch.float16: 1e-3}


def make(shape, k=2, dtype=torch.float32, shared=False, spatial=False, seed=0):
    """Return x, a, b and, for the spatial form, pi: leaves that require grad."""
    generator = torch.Generator().manual_seed(seed)
    channels = 1 if shared else shape[1]
    sizes = [shape, (shape[0], channels, k), (shape[0], channels, k)]
    tensors = [torch.randn(size, generator=generator) for size in sizes]
    if spatial:
        tensors.append(torch.rand((shape[0], 1, *shape[2:]), generator=generator))
    x, *coefficients = tensors
    # Coefficients are float32 at least, as the layers make them.
    wide = torch.promote_types(dtype, torch.float32)
    return [x.to(dtype).requires_grad_(), *(c.to(wide).requires_grad_() for c in coefficients)]


def make_layer(shape, variant="B", k=2, hidden=5, dtype=torch.float32, seed=0):
    """Return the leaves of a layer (x, hyper function, map weights or None) and its constants.

    The constants make the map of C reach its cap at some positions.
    """
    generator = torch.Generator().manual_seed(seed)
    channels, sets = shape[1], 1 if variant == "A" else shape[1]
    sizes = [shape, (hidden, channels), (hidden,), (2 * k * sets, hidden), (2 * k * sets,)]
    if variant == "C":
        sizes.append((channels,))
    leaves = [torch.randn(size, generator=generator).to(dtype).requires_grad_() for size in sizes]
    return leaves, (Ranges(k, 0.9, 0.6), Spatial(2.0, 0.5, 0.7) if variant == "C" else None)


def call_layer(function, constants, **options):
    """Return `function` (as `dyrelu`) of leaves as `make_layer` returns them."""
    ranges, spatial = constants

    def layer(x, w1, b1, w2, b2, weight=None):
        return function(x, Hyper(w1, b1, w2, b2), ranges, weight, spatial, **options)

    return layer


def run(function, leaves, grad_seed=1):
    """Return output and gradients of `function` on fresh copies of `leaves`."""
    leaves = [t.detach().clone().requires_grad_() for t in leaves]
    y = function(*leaves)
    grad = torch.randn(y.shape, generator=torch.Generator().manual_seed(grad_seed))
    return [y.detach(), *torch.autograd.grad(y, leaves, grad.to(y.dtype))]


def assert_close(actual, expected, dtype, factor=1):
    """Compare tensors one by one, with `factor` times the tolerance of `dtype`."""
    for got, want in zip(actual, expected, strict=True):
        assert got.shape == want.shape
        scale = want.double().abs().max().clamp(min=1e-2)
        assert (got.double() - want.double()).abs().max() / scale <= factor * TOLERANCE[dtype]
