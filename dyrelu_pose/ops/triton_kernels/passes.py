"""The passes as CUDA kernels in Triton.

Each reads the map once, whatever its strides and memory format. Imported only where used: Triton
is not a requirement of this package.
"""

from itertools import chain

import torch
import triton
from torch import Tensor

from dyrelu_pose.ops.eager import EAGER
from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.passes import Passes, WeightedSum

from . import library  # noqa: F401  (registers the operators)
from .maps import is_dense
from .sites import SITES  # noqa: F401  (with the kernels: one variable decides over all of them)
from .tiles import MOST_BRANCHES, load_branches

_OPS = torch.ops.dyrelu_pose
_INTERPRETED = not isinstance(load_branches, triton.JITFunction)


def interpreted() -> bool:
    """Return whether Triton's interpreter runs the kernels: TRITON_INTERPRET was 1 at import."""
    return _INTERPRETED


class TritonPasses:
    """`Passes` over a feature map, as kernels.

    With more than four branches the whole-map operations of `TorchPasses` take over.
    """

    def pool(self, x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        mean, z = _OPS.pool(x, weight)
        return mean, None if weight is None else z

    def plane_sums(self, x: Tensor, weight: Tensor) -> Tensor:
        # The gradient of the slope of a single branch, whose output gets `weight` in each channel.
        of_every_channel = weight.unsqueeze(1).expand(-1, x.shape[1], -1)
        return _OPS.reduce(x, weight.new_zeros(len(x), 1, 2), None, of_every_channel)[0][..., 0]

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return _OPS.moments(x)

    def apply(self, x: Tensor, coef: Tensor, pi: Tensor | None, inplace: bool = False) -> Tensor:
        if _many(coef):
            return EAGER.apply(x, coef, pi, inplace)
        if inplace and is_dense(x):
            _OPS.apply_(x, coef, pi)
            torch.autograd.graph.increment_version(x)
            return x
        return _OPS.apply(x, coef, pi)

    def reduce(
        self, x: Tensor, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        if _many(coef):
            return EAGER.reduce(x, coef, pi, grad)
        grad_coef, grad_pi = _OPS.reduce(x, coef, pi, grad)
        return grad_coef, None if pi is None else grad_pi

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
        if _many(coef):
            return EAGER.grad_input(x, coef, pi, grad, grad_mean, slope, outer)
        grad_z, weight = (None, None) if outer is None else outer
        grad_x, grad_weight = _OPS.grad_input(x, coef, pi, grad, grad_mean, slope, grad_z, weight)
        return grad_x, None if outer is None else grad_weight

    def apply_sum(self, w: WeightedSum, coef: Tensor, pi: Tensor | None) -> Tensor:
        return EAGER.apply_sum(w, coef, pi) if _many(coef) else _OPS.apply_sum(*w, coef, pi)

    def reduce_sum(
        self, w: WeightedSum, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
        if _many(coef):
            return EAGER.reduce_sum(w, coef, pi, grad)
        sums, grad_pi = _OPS.reduce_sum(*w, coef, pi, grad)  # sums are (N, C, 2K + 2)
        of_pi = None if pi is None else grad_pi
        return sums[..., :-2], of_pi, sums[..., -2], None if w.t_r is None else sums[..., -1]

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
        if _many(coef):
            return EAGER.grad_sum(w, coef, pi, grad, grad_mean, back, back_r, outer)
        pairs = (pair or (None, None) for pair in (back, back_r, outer))
        return _OPS.grad_sum(*w, coef, pi, grad, grad_mean, *chain(*pairs))

    def hyper_forward(
        self, s: Tensor, hyper: Hyper, ranges: Ranges
    ) -> tuple[Tensor, Tensor, Tensor]:
        return _OPS.hyper_forward(s, *hyper, *ranges)

    def hyper_backward(
        self,
        grad_coef: Tensor,
        s: Tensor,
        hidden: Tensor,
        delta: Tensor,
        hyper: Hyper,
        ranges: Ranges,
    ) -> tuple[Tensor, Hyper]:
        grad_s, *grads = _OPS.hyper_backward(grad_coef, s, hidden, delta, *hyper, *ranges)
        return grad_s, Hyper(*grads)


def _many(coef: Tensor) -> bool:
    return coef.shape[2] > 2 * MOST_BRANCHES


TRITON: Passes = TritonPasses()
