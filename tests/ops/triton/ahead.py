"""Compiles the kernels for GPUs that are not there, and prints what came out: run by a test.

`JITFunction.warmup` compiles what a launch would, for the target that the active driver names.
"""

import json
from itertools import product

import torch
import triton
from triton.backends.compiler import GPUTarget

from dyrelu_pose.ops import Hyper, Ranges, Spatial
from dyrelu_pose.ops.triton_kernels import (
    apply,
    grad_input,
    hyper,
    hyper_backward,
    pool,
    reduce,
    residual,
)
from dyrelu_pose.ops.triton_kernels.folded import FoldedPlan
from dyrelu_pose.ops.triton_kernels.launch import Launch
from dyrelu_pose.ops.triton_kernels.layer import LayerPlan
from dyrelu_pose.ops.triton_kernels.norm import Kind

# Sizes of one kind: another batch, width and map, but all multiples of 16.
SITES = [(64, 128, 64, 48), (48, 80, 96, 64)]
HIDDEN = 16


class Driver:
    """The part of a driver that compilation asks for, of a GPU by its compute capability."""

    def __init__(self, capability):
        self.capability = capability

    def get_current_target(self):
        return GPUTarget("cuda", self.capability, 32)

    def get_current_device(self):
        return self.capability  # compiled kernels are kept per device

    def get_current_stream(self, device):
        return 0


def compile_only(launch, *pointers):
    """Compile instead of starting; print the hash of what came out, and whether it keeps NaN."""
    options = dict(num_warps=launch.warps, **launch.constants)
    compiled = launch.kernel.warmup(*pointers, *launch.numbers, grid=launch.grid, **options)
    assert compiled.asm["cubin"]
    keeps_nan = "max.NaN" in compiled.asm["ptx"]
    print(json.dumps([case, launch.kernel.fn.__name__, compiled.hash, keeps_nan]))


def compile_sites(site, dtype, memory_format, k, parts):
    """Compile a site of B with a norm, or with `parts` one of C."""
    n, c, h, w = site
    wide = torch.promote_types(dtype, torch.float32)
    x = torch.empty(site, dtype=dtype).to(memory_format=memory_format)
    weights = [
        torch.empty(shape, dtype=wide)
        for shape in [(HIDDEN, c), (HIDDEN,), (2 * k * c, HIDDEN), (2 * k * c,)]
    ]
    weight, bias, mean, variance = torch.empty(4, c, dtype=wide)
    count = torch.empty((), dtype=torch.int64)
    if parts:
        plan = LayerPlan(x, HIDDEN, Ranges(k), Spatial())
        kept = plan.forward(x, x, weights, weight)
        back, rest = plan.backwards.of(x, x)[0], (weight, True)
    else:
        plan = FoldedPlan(x, HIDDEN, Ranges(k), Kind(True, True, False, 1e-5, 0.1))
        kept = plan.forward(x, x, (weight, bias, None, None, mean, variance, count, *weights))
        back, rest = plan.backwards.of(x, x)[0], (True,)
    back.run(x, x, kept, weights[0], weights[2], *rest)


def compile_passes(site, dtype, memory_format, k, parts):
    """Compile all passes of a layer; `parts` with the spatial map and the folded norm."""
    n, c, h, w = site
    wide = torch.promote_types(dtype, torch.float32)
    x = torch.empty(site, dtype=dtype).to(memory_format=memory_format)
    s, coef = torch.empty(n, c, dtype=wide), torch.empty(n, 2 * k, c, dtype=wide).mT
    channels, positions = torch.empty(c, dtype=wide), torch.empty(n, h * w, dtype=wide)
    pi, weight, slope = (positions, channels, channels) if parts else (None,) * 3
    pool.pool(x, weight)
    pool.moments(x)
    apply.apply(x, coef, pi)
    reduce.reduce(x, coef, pi, x)
    grad_input.grad_input(x, coef, pi, x, s, slope, pi, weight)
    summands, back = (x, channels, x, slope), (slope, slope)
    residual.apply_sum(*summands, coef, pi)
    residual.reduce_sum(*summands, coef, pi, x)
    residual.grad_sum(*summands, coef, pi, x, s, channels, channels, *back, pi, weight)
    shapes = [(HIDDEN, c), (HIDDEN,), (2 * k * c, HIDDEN), (2 * k * c,)]
    weights = Hyper(*(torch.empty(shape, dtype=wide) for shape in shapes))
    hidden, delta, coef = hyper.hyper_forward(s, weights, Ranges(k))
    hyper_backward.hyper_backward(coef, s, hidden, delta, weights, Ranges(k))


Launch.__call__ = compile_only

FIRST, LAST = torch.contiguous_format, torch.channels_last
CASES = [(80, torch.bfloat16, FIRST, k, False) for k in (1, 2, 3, 4)]
CASES += [(80, torch.float64, FIRST, 2, True), (80, torch.float32, LAST, 2, True)]
CASES += [(90, torch.bfloat16, LAST, 2, False), (90, torch.float16, LAST, 2, True)]
for (capability, *options), site in product(CASES, SITES):
    triton.runtime.driver.set_active(Driver(capability))
    case = f"sm_{capability} {options}"
    compile_passes(site, *options)
    case = f"site {case}"
    compile_sites(site, *options)
