"""`Passes` over a feature map on a CPU, in loops that Numba compiles: a pass reads a map once."""

import functools
import math
import os
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import torch
from torch import Tensor

from dyrelu_pose.ops.eager import TILE, TorchPasses
from dyrelu_pose.ops.layout import Layout
from dyrelu_pose.ops.passes import Passes, WeightedSum
from dyrelu_pose.ops.precision import compute_dtype

from . import kernels, sums

NONE = (None, None)
SHARED_OUT = 2**17  # elements of a map from which on threads share its samples


class NumbaPasses(TorchPasses):
    """Eager passes, and compiled loops in place of some: those of K = 2 in float32 or float64."""

    def pool(self, x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if weight is None or not _wide(x):
            return super().pool(x, weight)
        layout, matrices = _read(x)
        mean = x.new_empty(x.shape[:2])
        z = x.new_empty(len(x), matrices.shape[3 - layout.channel])
        _run(kernels, "pool", layout, matrices, _copy(weight), mean, z)
        return mean, z

    def plane_sums(self, x: Tensor, weight: Tensor) -> Tensor:
        if not _wide(x):
            return super().plane_sums(x, weight)
        total = x.new_empty(x.shape[:2])
        _run(kernels, "plane_sums", *_read(x), weight, total)
        return total

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not _wide(x):
            return super().moments(x)
        mean = x.new_empty(x.shape[:2])
        variance = torch.empty_like(mean)
        _run(kernels, "moments", *_read(x), mean, variance)
        return mean, variance

    def apply(self, x: Tensor, coef: Tensor, pi: Tensor | None, inplace: bool = False) -> Tensor:
        if not _ours(x, coef):
            return super().apply(x, coef, pi, inplace)
        layout, matrices = _read(x)
        y = matrices if inplace else torch.empty_like(matrices)
        _run(kernels, "apply", layout, matrices, _branches(coef, x), pi, y)
        if inplace:
            torch.autograd.graph.increment_version(y)
            return layout.map(y)
        return layout.new_map(y)

    def reduce(
        self, x: Tensor, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        if not _ours(x, coef):
            return super().reduce(x, coef, pi, grad)
        layout, matrices = _read(x)
        branches = _branches(coef, x)
        grad_coef = torch.empty_like(branches)
        grad_pi = None if pi is None else torch.empty_like(pi)
        _run(
            kernels, "reduce", layout, matrices, branches, pi, layout.matrices(grad), grad_coef,
            grad_pi,
        )  # fmt: skip
        return grad_coef.mT, grad_pi

    def grad_input(
        self,
        x: Tensor,
        coef: Tensor,
        pi: Tensor | None,
        grad: Tensor,
        grad_mean: Tensor | None = None,
        slope: Tensor | None = None,
        outer: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        if not _ours(x, coef):
            return super().grad_input(x, coef, pi, grad, grad_mean, slope, outer)
        layout, matrices = _read(x)
        shift = None if grad_mean is None else grad_mean / matrices.shape[3 - layout.channel]
        grad_z, weight = _outer(outer)
        grad_x = torch.empty_like(matrices)
        grad_weight = None if weight is None else x.new_empty(x.shape[:2])
        _run(
            kernels, "grad_input", layout, matrices, _branches(coef, x), pi, layout.matrices(grad),
            shift, slope, grad_z, weight, grad_x, grad_weight,
        )  # fmt: skip
        return layout.map(grad_x), None if grad_weight is None else grad_weight.sum(0)

    def apply_sum(self, w: WeightedSum, coef: Tensor, pi: Tensor | None) -> Tensor:
        if not _ours(w.x, coef):
            return super().apply_sum(w, coef, pi)
        layout, (x, *summands) = _read_sum(w)
        y = torch.empty_like(x)
        _run(sums, "apply", layout, x, *summands, _branches(coef, w.x), pi, y)
        return layout.new_map(y)

    def reduce_sum(
        self, w: WeightedSum, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
        if not _ours(w.x, coef):
            return super().reduce_sum(w, coef, pi, grad)
        layout, (x, *summands) = _read_sum(w)
        branches = _branches(coef, w.x)
        grad_coef, moment = torch.empty_like(branches), x.new_empty(w.x.shape[:2])
        grad_pi = None if pi is None else torch.empty_like(pi)
        moment_r = None if w.t_r is None else torch.empty_like(moment)
        _run(
            sums, "reduce", layout, x, *summands, branches, pi, layout.matrices(grad), grad_coef,
            grad_pi, moment, moment_r,
        )  # fmt: skip
        return grad_coef.mT, grad_pi, moment, moment_r

    def grad_sum(
        self,
        w: WeightedSum,
        coef: Tensor,
        pi: Tensor | None,
        grad: Tensor,
        grad_mean: Tensor,
        back: tuple[Tensor, Tensor] | None,
        back_r: tuple[Tensor, Tensor] | None,
        outer: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor]:
        if not _ours(w.x, coef):
            return super().grad_sum(w, coef, pi, grad, grad_mean, back, back_r, outer)
        layout, (x, *summands) = _read_sum(w)
        mean = grad_mean / math.prod(layout.shape[2:])
        grad_x, grad_r = torch.empty_like(x), torch.empty_like(x)
        _run(
            sums, "grad", layout, x, *summands, _branches(coef, w.x), pi, layout.matrices(grad),
            mean, *(back or NONE), *(back_r or NONE), *_outer(outer), grad_x, grad_r,
        )  # fmt: skip
        return layout.map(grad_x), layout.map(grad_r)


def _wide(x: Tensor) -> bool:
    return x.dtype == compute_dtype(x)


def _ours(x: Tensor, coef: Tensor) -> bool:
    return x.dtype == coef.dtype and coef.shape[-1] == 4


def _read(x: Tensor) -> tuple[Layout, Tensor]:
    layout = Layout(x)
    return layout, layout.matrices(x)


def _read_sum(w: WeightedSum) -> tuple[Layout, WeightedSum]:
    layout, x = _read(w.x)
    return layout, WeightedSum(x, w.t, layout.matrices(w.r), w.t_r)


def _copy(weight: Tensor) -> Tensor:
    """Copy a parameter: NumPy fixes the size of the storage it sees, and FSDP resizes that."""
    return weight.clone()


def _outer(outer: tuple[Tensor, Tensor] | None) -> tuple[Tensor | None, Tensor | None]:
    return NONE if outer is None else (outer[0], _copy(outer[1]))


def _branches(coef: Tensor, x: Tensor) -> Tensor:
    """Turn (N, C or 1, 2K) into (N, 2K, C)."""
    return coef.expand(-1, x.shape[1], -1).mT.contiguous()


def _run(module: ModuleType, name: str, layout: Layout, x: Tensor, *tensors: Tensor | None) -> None:
    """Run a kernel over all samples, shared among torch's threads where the map is large."""
    kernel = getattr(module, f"{name}_{'last' if layout.channels_last else 'first'}")
    arrays = [
        None if tensor is None else tensor.detach().to(x.dtype).numpy() for tensor in (x, *tensors)
    ]
    threads = min(torch.get_num_threads(), len(x))
    if threads == 1 or x.numel() < SHARED_OUT:
        kernel(0, len(x), *arrays)
        return
    bounds = [len(x) * i // threads for i in range(threads + 1)]
    parts = zip(bounds, bounds[1:], strict=False)
    list(_pool(threads).map(lambda part: kernel(*part, *arrays), parts))


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "dyrelu")


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive it


NUMBA: Passes = NumbaPasses(TILE)
