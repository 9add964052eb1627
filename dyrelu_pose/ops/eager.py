"""The passes in PyTorch operations: tile by tile on a CPU, on the whole map elsewhere.

A dozen elementwise operations over a whole feature map spend their time in fetching memory, much of
it touched for the first time. Over tiles that stay in a CPU's caches they do not.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from . import arithmetic
from .eager_sums import TorchSums
from .hyper import Hyper, Ranges, hyper_backward, hyper_forward
from .layout import Layout, Sum, Tile
from .passes import Passes
from .precision import compute_dtype, without_autocast
from .tiled import Out

TILE = 2**17  # elements; smaller ones pay for more calls than they save in memory


class TorchPasses(TorchSums):
    """`Passes` over a feature map in PyTorch operations.

    Args:
        tile: Elements of a tile, on a CPU; None computes on whole maps.
        wrap: Applied to each function of `arithmetic.py`; a compiler, for instance.
    """

    def __init__(
        self,
        tile: int | None = None,
        wrap: Callable[[Callable], Callable] = lambda function: function,
    ) -> None:
        super().__init__(tile, wrap)
        self._spread = wrap(arithmetic.spread)
        self._apply = wrap(arithmetic.apply)
        self._reduce = wrap(arithmetic.reduce)
        self._grad_input = wrap(arithmetic.grad_input)

    def pool(self, x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        layout = Layout(x)
        matrices = layout.matrices(x)
        mean = _mean(layout, matrices)
        if weight is None:
            return mean.flatten(1), None
        matrices, weight = matrices.to(mean.dtype), weight.to(mean.dtype)
        z = matrices @ weight if layout.channels_last else weight @ matrices
        return mean.flatten(1), z

    def plane_sums(self, x: Tensor, weight: Tensor) -> Tensor:
        layout = Layout(x)
        matrices, weight = layout.matrices(x), layout.of_positions(weight)
        left, right = (matrices.mT, weight) if layout.channels_last else (matrices, weight.mT)
        with without_autocast(x, backward=True):
            return (left.to(weight.dtype) @ right).flatten(1)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        layout = Layout(x)
        matrices = layout.matrices(x)
        mean = _mean(layout, matrices)
        squares = Sum(mean.shape)
        for tile in self._tiles(matrices):
            part = self._spread(tile.cut(matrices), tile.cut(mean), layout.channel)
            squares.add(tile, part)
        return mean.flatten(1), squares.total().flatten(1) / matrices.shape[3 - layout.channel]

    def apply(self, x: Tensor, coef: Tensor, pi: Tensor | None, inplace: bool = False) -> Tensor:
        layout = Layout(x)
        x, coef = layout.matrices(x), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)

        def part(tile: Tile, out: Out) -> tuple[Tensor]:
            (y,) = out or (None,)
            return (self._apply(tile.cut(x), tile.cut(coef).unbind(), tile.cut(pi), y, inplace),)

        if inplace:
            for tile in self._tiles(x):
                part(tile, None)
            return layout.map(x)
        (y,) = self._fill((x,), coef.dtype, part)
        return layout.new_map(y)

    def reduce(
        self, x: Tensor, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        layout = Layout(x)
        x, grad, coef = layout.matrices(x), layout.matrices(grad), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)
        grad_coef, grad_pi = Sum(coef.shape), None if pi is None else Sum(pi.shape)
        for tile in self._tiles(x):
            of_coef, of_pi = self._reduce(
                tile.cut(x), tile.cut(coef).unbind(), tile.cut(pi), tile.cut(grad), layout.channel
            )
            grad_coef.add(tile, torch.stack(of_coef))
            if grad_pi is not None:
                grad_pi.add(tile, of_pi)
        unshared = grad_coef.total().flatten(2).movedim(0, 2)  # (N, C, 2K)
        return unshared, None if grad_pi is None else grad_pi.total().flatten(1)

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
        layout = Layout(x)
        grad_weight = None if outer is None else self.plane_sums(x, outer[0]).sum(0)
        x, grad, coef = layout.matrices(x), layout.matrices(grad), layout.branches(coef)
        pi = None if pi is None else layout.of_positions(pi)
        shift = None if grad_mean is None else layout.shift(grad_mean)
        slope = None if slope is None else layout.of_channels(slope[None])
        outer = layout.outer(outer)

        def part(tile: Tile, out: Out) -> tuple[Tensor]:
            grad_x = self._grad_input(
                tile.cut(x),
                tile.cut(coef).unbind(),
                tile.cut(pi),
                tile.cut(grad),
                tile.cut(shift),
                tile.cut(slope),
                None if outer is None else (tile.cut(outer[0]), tile.cut(outer[1])),
                None if out is None else out[0],
            )
            return (grad_x,)

        (grad_x,) = self._fill((x,), coef.dtype, part)
        return layout.map(grad_x), grad_weight

    def hyper_forward(
        self, s: Tensor, hyper: Hyper, ranges: Ranges
    ) -> tuple[Tensor, Tensor, Tensor]:
        return hyper_forward(s, hyper, ranges)

    def hyper_backward(
        self,
        grad_coef: Tensor,
        s: Tensor,
        hidden: Tensor,
        delta: Tensor,
        hyper: Hyper,
        ranges: Ranges,
    ) -> tuple[Tensor, Hyper]:
        return hyper_backward(grad_coef, s, hidden, delta, hyper, ranges)


def _mean(layout: Layout, matrices: Tensor) -> Tensor:
    """Return the mean of every plane; not compiled, as PyTorch's own reduction is faster."""
    return matrices.mean(3 - layout.channel, keepdim=True, dtype=compute_dtype(matrices))


EAGER: Passes = TorchPasses(TILE)
