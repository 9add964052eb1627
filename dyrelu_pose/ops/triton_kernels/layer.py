"""A site of DyReLU-B or -C by a plan: three launches forward, three or four backward.

The function is that of `ops/layer.py`. Where partial sums of few large planes have to be added up,
backward takes a launch more.
"""

import torch
from torch import Tensor

from dyrelu_pose.ops.hyper import Hyper, Ranges
from dyrelu_pose.ops.precision import compute_dtype
from dyrelu_pose.ops.second_derivative import refuse_second_derivative
from dyrelu_pose.ops.spatial import Spatial

from .apply import apply_launch
from .blocks import blocks_to_write
from .grad_input import grad_input_launch
from .hyper import Sizes, hyper_forward_launch
from .hyper_backward import hyper_backward_launch
from .maps import planes
from .plan import Backwards, Room, Steps, without_memory
from .pool import blocks_to_pool, pool_launch
from .reduce import blocks_to_reduce, reduce_launch
from .sums import total_launch
from .tiles import Branches


class LayerPlan:
    """A site for one kind of map.

    Args:
        x: The map, without gaps.
        units: Hidden units, C / R.
        ranges: K and the ranges of the coefficients.
        spatial: Constants of the spatial map, for C.
    """

    def __init__(self, x: Tensor, units: int, ranges: Ranges, spatial: Spatial | None) -> None:
        self.view = view = without_memory(planes(x))
        samples, channels, positions = view.shape
        self.ranges, self.spatial, self.dtype = ranges, spatial, compute_dtype(x)
        outputs = 2 * ranges.k * channels
        self.sizes = Sizes(samples, channels, units, outputs, positions if spatial else 0)
        self.branches = Branches(ranges.k, (outputs, 1, channels), spatial)
        blocks = blocks_to_pool(view, spatial is not None)
        self.split = blocks.splits > 1
        parts_of_z = blocks.of_channels(view) if spatial else 0
        coef, of_map = samples * outputs, self.sizes.positions * samples
        self.kept = Room(
            self.dtype, samples * channels, samples * units, coef, coef, of_map
        )  # s, hidden, delta, coef, q
        self.left = Room(
            self.dtype, samples * blocks.splits * channels if self.split else 0,
            of_map * parts_of_z,
        )  # partial sums of s, and of z  # fmt: skip
        self.steps = Steps(
            pool_launch(view, spatial is not None),
            hyper_forward_launch(self.sizes, ranges, blocks.splits, spatial, parts_of_z),
            apply_launch(view, view, self.branches),
        )
        self.backwards = Backwards(lambda grad: LayerBackward(self, grad))

    def forward(self, x: Tensor, y: Tensor, hyper: Hyper, weight: Tensor | None) -> Tensor:
        """Write y, and return what the backward pass needs of the small results."""
        kept = self.kept.allocate(x)
        left = self.left.allocate(x) if self.left.elements else kept
        tensors = (x, y, weight, *hyper)
        steps = self.steps
        found = steps.addresses(tensors)
        if found is None:
            pool, coefficients, apply = steps.launches
            at, s, of_left = tensors, self.kept.views(kept), self.left.views(left)
        else:
            pool, coefficients, apply = steps.repeats
            at, s, of_left = found, self.kept.addresses(kept), self.left.addresses(left)
        x_, y_, weight_, *hyper_ = at
        s, hidden, delta, coef, q = s
        parts, z = of_left
        if not self.split:
            parts = s
        if weight is None:
            z = q = None
        pool(x_, weight_, parts, z)
        coefficients(parts, *hyper_, s, hidden, delta, coef, z, q)
        apply(x_, y_, coef, q, None, None)
        if found is None:
            steps.learn(tensors)
        return kept


class LayerBackward:
    """The backward pass of a site for gradients of some strides."""

    def __init__(self, layer: LayerPlan, grad: tuple[int, int, int]) -> None:
        view, spatial, ranges = layer.view, layer.spatial, layer.ranges
        self.layer = layer
        samples, channels, units, outputs, positions = layer.sizes
        self.shapes = (units, channels), units, (outputs, units), outputs
        blocks = blocks_to_reduce(view, layer.branches)
        self.split = blocks.splits > 1
        parts_of_pi = blocks.of_channels(view) if spatial else 0
        rows = samples * blocks_to_write(view).splits if spatial else 0
        coef, of_map = samples * outputs, samples * positions
        self.room = Room(
            layer.dtype, coef * blocks.splits, coef if self.split else 0, samples * channels,
            of_map * parts_of_pi, of_map, rows * channels,
        )  # partial sums of grad_coef, itself, grad_s, grad_pi, grad_z, grad_weight  # fmt: skip
        self.steps = Steps(
            reduce_launch(view, grad, layer.branches),
            total_launch(samples, blocks.splits, outputs) if self.split else None,
            hyper_backward_launch(
                layer.sizes, ranges, (outputs, 1, channels), spatial, parts_of_pi
            ),
            grad_input_launch(
                view, grad, view, layer.branches, mean=True, outer=spatial is not None
            ),
            total_launch(1, rows, channels) if spatial else None,
        )

    def run(self, x: Tensor, grad: Tensor, kept, w1, w2, weight, needs_x: bool) -> tuple:
        """Return the gradients of x, of the four weights of the hyper function, and of `weight`."""
        memory = kept.new_empty(self.room.elements)
        grad_x = torch.empty_like(x) if needs_x or weight is not None else None
        grads = [kept.new_empty(shape) for shape in self.shapes]
        grad_weight = None if weight is None else torch.empty_like(weight)
        tensors = (x, grad, grad_x, w1, w2, weight, grad_weight, *grads, kept)
        steps = self.steps
        found = steps.addresses(tensors)
        if found is None:
            reduce, total, coefficients, write, total_weight = steps.launches
            at, of_kept = tensors, self.layer.kept.views(kept)
            room = self.room.views(memory)
        else:
            reduce, total, coefficients, write, total_weight = steps.repeats
            at, of_kept = found, self.layer.kept.addresses(kept)
            room = self.room.addresses(memory)
        x_, grad_, grad_x_, w1_, w2_, weight_, grad_weight_, *grads_, _ = at
        s, hidden, delta, coef, q = of_kept
        parts, grad_coef, grad_s, grad_pi, grad_z, rows = room
        if weight is None:
            q = grad_pi = grad_z = rows = None
        reduce(x_, grad_, coef, q, None, None, parts, grad_pi)
        if total is None:
            grad_coef = parts
        else:
            total(parts, grad_coef)
        coefficients(
            grad_coef, s, hidden, delta, w1_, w2_, None, None, q, grad_pi,
            grad_s, *grads_, grad_z,
        )  # fmt: skip
        if grad_x is not None:
            write(x_, grad_, grad_x_, coef, q, None, None, grad_s, None, grad_z, weight_, rows)
            if total_weight is not None:
                total_weight(rows, grad_weight_)
        if found is None:
            steps.learn(tensors)
        return grad_x, *grads, grad_weight


class PlannedDyReLU(torch.autograd.Function):
    """A site by its plan."""

    @staticmethod
    def forward(ctx, x, w1, b1, w2, b2, weight, plan):
        """Return the output."""
        y = torch.empty_like(x)
        kept = plan.forward(x, y, (w1, b1, w2, b2), weight)
        ctx.save_for_backward(x, w1, w2, weight, kept)
        ctx.plan = plan
        return y

    @staticmethod
    def backward(ctx, grad):
        """Return the gradients of what `forward` takes."""
        refuse_second_derivative()
        x, w1, w2, weight, kept = ctx.saved_tensors
        step, grad = ctx.plan.backwards.of(x, grad)
        return *step.run(x, grad, kept, w1, w2, weight, ctx.needs_input_grad[0]), None
