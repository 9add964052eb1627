"""A site of DyReLU-B with a batch normalization in it by a plan: four launches each way.

The function is that of `ops/folded_norm.py`. Statistics, and what goes back through them, are
launches over what the passes left, (N, C); the coefficients are folded where a map's passes read
them. Where partial sums of few large planes have to be added up, backward takes a launch more.
"""

import torch
from torch import Tensor

from dyrelu_pose.ops.hyper import Ranges
from dyrelu_pose.ops.precision import compute_dtype
from dyrelu_pose.ops.second_derivative import refuse_second_derivative

from .apply import apply_launch
from .grad_input import grad_input_launch
from .hyper import Sizes, hyper_forward_launch
from .hyper_backward import hyper_backward_launch
from .maps import planes
from .norm import Kind, norm_backward_launch, statistics_launch
from .plan import Backwards, Room, Steps, without_memory
from .pool import blocks_of_moments, blocks_to_pool, moments_launch, pool_launch
from .reduce import blocks_to_reduce, reduce_launch
from .sums import total_launch
from .tiles import Branches


class FoldedPlan:
    """A site with a norm for one kind of map.

    Args:
        x: The map, without gaps.
        units: Hidden units, C / R.
        ranges: K and the ranges of the coefficients.
        norm: What is there of the norm.
    """

    def __init__(self, x: Tensor, units: int, ranges: Ranges, norm: Kind) -> None:
        fixed = norm.fixed
        self.view = view = without_memory(planes(x))
        self.of_batch = not fixed
        self.ranges, self.dtype = ranges, compute_dtype(x)
        samples, channels, _ = view.shape
        outputs = 2 * ranges.k * channels
        self.sizes = Sizes(samples, channels, units, outputs)
        self.branches = Branches(ranges.k, (outputs, 1, channels), normalized=True)
        blocks = blocks_to_pool(view, False) if fixed else blocks_of_moments(view)
        self.split = blocks.splits > 1
        plane, parts = samples * channels, samples * blocks.splits * channels
        coef = samples * outputs
        self.kept = Room(
            self.dtype, plane, plane, samples * units, coef, coef, *(channels,) * 4,
            0 if fixed or self.split else plane,
        )  # means, s, hidden, delta, coef, center, rstd, scale, shift, and variances  # fmt: skip
        self.left = Room(self.dtype, *((parts, 0 if fixed else parts) if self.split else ()))
        self.steps = Steps(
            pool_launch(view, False) if fixed else moments_launch(view),
            statistics_launch(view.shape, blocks, norm),
            hyper_forward_launch(self.sizes, ranges),
            apply_launch(view, view, self.branches),
        )
        self.backwards = Backwards(lambda grad: FoldedBackward(self, grad))

    def forward(self, x: Tensor, y: Tensor, others: tuple[Tensor | None, ...]) -> Tensor:
        """Write y, and statistics of a batch; return what the backward pass needs besides.

        Args:
            x: The map.
            y: The output.
            others: Weights and bias of the norm, mean and variance, running ones, count of batches,
                and the hyper function's weights.
        """
        kept = self.kept.allocate(x)
        left = self.left.allocate(x) if self.left.elements else kept
        tensors = (x, y, *others)
        steps = self.steps
        found = steps.addresses(tensors)
        if found is None:
            pool, statistics, coefficients, apply = steps.launches
            at, places, parts = tensors, self.kept.views(kept), self.left.views(left)
        else:
            pool, statistics, coefficients, apply = steps.repeats
            at, places, parts = found, self.kept.addresses(kept), self.left.addresses(left)
        x_, y_, weight, bias, mean, variance, r_mean, r_variance, batches, *hyper_ = at
        means, s, hidden, delta, coef, center, rstd, scale, shift, variances = places
        of_means = means
        if self.split:
            of_means, variances = parts
        if self.of_batch:
            pool(x_, of_means, variances)
        else:
            variances = None
            pool(x_, None, of_means, None)
        statistics(
            of_means, variances, weight, bias, mean, variance, r_mean, r_variance, batches,
            means, s, center, rstd, scale, shift,
        )  # fmt: skip
        coefficients(s, *hyper_, s, hidden, delta, coef, None, None)
        apply(x_, y_, coef, None, scale, shift)
        if found is None:
            steps.learn(tensors)
        return kept


class FoldedBackward:
    """The backward pass of a site with a norm for gradients of some strides."""

    def __init__(self, site: FoldedPlan, grad: tuple[int, int, int]) -> None:
        view, ranges = site.view, site.ranges
        self.site = site
        samples, channels, units, outputs, _ = site.sizes
        self.shapes = channels, channels, (units, channels), units, (outputs, units), outputs
        blocks = blocks_to_reduce(view, site.branches)
        self.split = blocks.splits > 1
        plane, coef = samples * channels, samples * outputs
        self.room = Room(
            site.dtype, coef * blocks.splits, coef if self.split else 0, plane, plane, channels
        )  # partial sums of grad_coef, itself, grad_s, grad_mean, slope
        self.steps = Steps(
            reduce_launch(view, grad, site.branches),
            total_launch(samples, blocks.splits, outputs) if self.split else None,
            hyper_backward_launch(site.sizes, ranges, (outputs, 1, channels), normalized=True),
            norm_backward_launch(view.shape, ranges.k, site.of_batch),
            grad_input_launch(view, grad, view, site.branches, mean=True, slope=site.of_batch),
        )

    def run(self, x: Tensor, grad: Tensor, kept, w1, w2, needs_x: bool) -> tuple:
        """Return the gradients of x, the norm's weights and bias, and the hyper function's."""
        memory = kept.new_empty(self.room.elements)
        grad_x = torch.empty_like(x) if needs_x else None
        grads = [kept.new_empty(shape) for shape in self.shapes]
        tensors = (x, grad, grad_x, w1, w2, *grads, kept)
        steps = self.steps
        found = steps.addresses(tensors)
        if found is None:
            reduce, total, coefficients, normalize, write = steps.launches
            at, places = tensors, self.site.kept.views(kept)
            room = self.room.views(memory)
        else:
            reduce, total, coefficients, normalize, write = steps.repeats
            at, places = found, self.site.kept.addresses(kept)
            room = self.room.addresses(memory)
        x_, grad_, grad_x_, w1_, w2_, grad_weight, grad_bias, *grads_, _ = at
        means, s, hidden, delta, coef, center, rstd, scale, shift, _ = places
        parts, grad_coef, grad_s, grad_mean, slope = room
        reduce(x_, grad_, coef, None, scale, shift, parts, None)
        if total is None:
            grad_coef = parts
        else:
            total(parts, grad_coef)
        coefficients(
            grad_coef, s, hidden, delta, w1_, w2_, scale, shift, None, None,
            grad_s, *grads_, None,
        )  # fmt: skip
        normalize(
            grad_coef, coef, grad_s, means, center, rstd, scale,
            grad_weight, grad_bias, slope, grad_mean,
        )  # fmt: skip
        if grad_x is not None:
            if not self.site.of_batch:
                slope = None
            write(x_, grad_, grad_x_, coef, None, scale, shift, grad_mean, slope, None, None, None)
        if found is None:
            steps.learn(tensors)
        return grad_x, *grads


class PlannedFolded(torch.autograd.Function):
    """A site with a norm by its plan."""

    @staticmethod
    def forward(ctx, x, weight, bias, w1, b1, w2, b2, options):
        """Return the output; `options` are the plan, and statistics as it takes them."""
        plan, statistics = options
        y = torch.empty_like(x)
        kept = plan.forward(x, y, (weight, bias, *statistics, w1, b1, w2, b2))
        ctx.save_for_backward(x, w1, w2, kept)
        ctx.options = plan, weight is not None, bias is not None
        return y

    @staticmethod
    def backward(ctx, grad):
        """Return the gradients of what `forward` takes."""
        refuse_second_derivative()
        x, w1, w2, kept = ctx.saved_tensors
        plan, has_weight, has_bias = ctx.options
        step, grad = plan.backwards.of(x, grad)
        grad_x, grad_weight, grad_bias, *grads = step.run(
            x, grad, kept, w1, w2, ctx.needs_input_grad[0]
        )
        grad_weight = grad_weight if has_weight else None
        grad_bias = grad_bias if has_bias else None
        return grad_x, grad_weight, grad_bias, *grads, None
