"""The passes over the sum of two maps, in PyTorch operations."""

from collections.abc import Callable

import torch
from torch import Tensor

from . import arithmetic
from .layout import Layout, Sum, Tile
from .passes import WeightedSum
from .tiled import Out, Tiled


class TorchSums(Tiled):
    """What `Passes` has for a sum of maps; the arguments are those of `TorchPasses`."""

    def __init__(self, tile: int | None, wrap: Callable[[Callable], Callable]) -> None:
        super().__init__(tile)
        self._apply_sum = wrap(arithmetic.apply_sum)
        self._reduce_sum = wrap(arithmetic.reduce_sum)
        self._grad_sum = wrap(arithmetic.grad_sum)

    def apply_sum(self, w: WeightedSum, coef: Tensor, pi: Tensor | None) -> Tensor:
        layout = Layout(w.x)
        maps, coef = _matrices(layout, w), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)

        def part(tile: Tile, out: Out) -> tuple[Tensor]:
            (y,) = out or (None,)
            return (self._apply_sum(*_cut(tile, maps), tile.cut(coef).unbind(), tile.cut(pi), y),)

        (y,) = self._fill(maps[:1], coef.dtype, part)
        return layout.new_map(y)

    def reduce_sum(
        self, w: WeightedSum, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
        layout = Layout(w.x)
        maps, grad, coef = _matrices(layout, w), layout.matrices(grad), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)
        grad_coef, grad_pi = Sum(coef.shape), None if pi is None else Sum(pi.shape)
        moment, moment_r = Sum(coef.shape[1:]), None if w.t_r is None else Sum(coef.shape[1:])
        for tile in self._tiles(maps.x):
            of_coef, of_pi, of_x, of_r = self._reduce_sum(
                *_cut(tile, maps),
                tile.cut(coef).unbind(),
                tile.cut(pi),
                tile.cut(grad),
                layout.channel,
            )
            grad_coef.add(tile, torch.stack(of_coef))
            if grad_pi is not None:
                grad_pi.add(tile, of_pi)
            moment.add(tile, of_x)
            if moment_r is not None:
                moment_r.add(tile, of_r)
        unshared = grad_coef.total().flatten(2).movedim(0, 2)  # (N, C, 2K)
        of_pi, of_r = (
            None if each is None else each.total().flatten(1) for each in (grad_pi, moment_r)
        )
        return unshared, of_pi, moment.total().flatten(1), of_r

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
        layout = Layout(w.x)
        maps, grad, coef = _matrices(layout, w), layout.matrices(grad), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)
        shift = layout.shift(grad_mean)
        outer = layout.outer(outer)
        back, back_r = (
            _each(lambda values: layout.of_channels(values[None]), pair) for pair in (back, back_r)
        )

        def part(tile: Tile, out: Out) -> tuple[Tensor, Tensor]:
            return self._grad_sum(
                *_cut(tile, maps),
                tile.cut(coef).unbind(),
                tile.cut(pi),
                tile.cut(grad),
                tile.cut(shift),
                _each(tile.cut, back),
                _each(tile.cut, back_r),
                _each(tile.cut, outer),
                out,
            )

        grad_x, grad_r = self._fill((maps.x, maps.x), coef.dtype, part)
        return layout.map(grad_x), layout.map(grad_r)


def _matrices(layout: Layout, w: WeightedSum) -> WeightedSum:
    """View both maps as stacks of matrices, and what they are multiplied by in the same way."""
    t_r = None if w.t_r is None else layout.of_channels(w.t_r[None])
    x, r = layout.matrices(w.x), layout.matrices(w.r)
    return WeightedSum(x, layout.of_channels(w.t[None]), r, t_r)


def _cut(tile: Tile, w: WeightedSum) -> WeightedSum:
    t_r = None if w.t_r is None else tile.cut(w.t_r)
    return WeightedSum(tile.cut(w.x), tile.cut(w.t), tile.cut(w.r), t_r)


def _each(
    function: Callable[[Tensor], Tensor], pair: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor] | None:
    return None if pair is None else (function(pair[0]), function(pair[1]))
