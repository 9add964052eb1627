"""Which plan computes a site, if one does; `layer.py` and `folded.py` have the plans."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.norm import Norm, Running
from dyrelu_pose.ops.passes import Sites
from dyrelu_pose.ops.spatial import Spatial

from .folded import FoldedPlan, PlannedFolded
from .hyper import sizes_of
from .layer import LayerPlan, PlannedDyReLU
from .maps import is_dense
from .norm import Kind
from .plan import Plans
from .tiles import MOST_BRANCHES

PLANS: Plans = Plans()
HERE = nullcontext()


class TritonSites:
    """`Sites` as planned launches."""

    def dyrelu(
        self,
        x: Tensor,
        hyper: Hyper,
        ranges: Ranges,
        weight: Tensor | None,
        spatial: Spatial | None,
        inplace: bool,
    ) -> Tensor | None:
        """As in `Sites`."""
        w1, b1, w2, b2 = hyper
        key = (x.shape, x.stride(), x.dtype, x.device, w1.shape, w2.shape, ranges, spatial)
        plan = PLANS.get(key, PLANS)
        if plan is PLANS:
            fits = can_be_planned(x, hyper, ranges) and (weight is None) == (spatial is None)
            plan = PLANS.keep(key, LayerPlan(x, len(w1), ranges, spatial) if fits else None)
        if plan is None or not fit(x, plan.dtype, (w1, b1, w2, b2, weight)):
            return None
        with current(x):
            if _recorded((x, w1, b1, w2, b2, weight)):
                return PlannedDyReLU.apply(x, w1, b1, w2, b2, weight, plan)
            y = x if inplace else torch.empty_like(x)
            plan.forward(x, y, hyper, weight)
            if inplace:
                torch.autograd.graph.increment_version(x)
            return y

    def normalized_dyrelu(
        self, x: Tensor, norm: Norm, hyper: Hyper, ranges: Ranges, running: Running | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None] | None:
        """As in `Sites`."""
        w1, b1, w2, b2 = hyper
        weight, bias, mean, variance, eps = norm
        momentum, running_ = None, (None,) * 3
        if running is not None:
            *running_, momentum = running
            if momentum is None or not fit(x, torch.int64, running_[2:]):
                return None
        kind = (weight is not None, bias is not None, mean is not None, eps, momentum)
        key = (x.shape, x.stride(), x.dtype, x.device, w1.shape, w2.shape, ranges, kind)
        plan = PLANS.get(key, PLANS)
        if plan is PLANS:
            fits = can_be_planned(x, hyper, ranges)
            plan = PLANS.keep(key, FoldedPlan(x, len(w1), ranges, Kind(*kind)) if fits else None)
        if plan is None or not fit(
            x, plan.dtype, (w1, b1, w2, b2, weight, bias, mean, variance, *running_[:2])
        ):
            return None
        if plan.of_batch and running is None:
            mean = x.new_empty(x.shape[1], dtype=plan.dtype)
            variance = torch.empty_like(mean)
        with current(x):
            options = plan, (mean, variance, *running_)
            y = PlannedFolded.apply(x, weight, bias, w1, b1, w2, b2, options)
            return y, mean, variance


SITES: Sites = TritonSites()


def can_be_planned(x: Tensor, hyper: Hyper, ranges: Ranges) -> bool:
    """Return whether a plan can compute sites like this: DyReLU-B of a map without gaps.

    The others are computed by the passes, with PyTorch's operations between them.
    """
    return (
        x.numel() > 0
        and is_dense(x)
        and ranges.k <= MOST_BRANCHES
        and hyper.fc2_weight.shape[0] == 2 * ranges.k * x.shape[1]
        and sizes_of(len(x), hyper).fit
    )


def fit(x: Tensor, dtype: torch.dtype, parameters: Sequence[Tensor | None]) -> bool:
    """Return whether parameters are as a plan's kernels read them: on the device of x, dense."""
    device = x.get_device()
    for p in parameters:
        if p is not None and not (
            p.dtype is dtype and p.get_device() == device and p.is_contiguous()
        ):
            return False
    return True


def current(x: Tensor) -> AbstractContextManager:
    """Return a context in which the device of `x` is the current one; it mostly is."""
    if x.is_cuda and x.get_device() != torch.cuda.current_device():
        return torch.cuda.device(x.device)
    return HERE


def _recorded(tensors: Sequence[Tensor | None]) -> bool:
    """Return whether autograd keeps track of what these tensors become."""
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)
