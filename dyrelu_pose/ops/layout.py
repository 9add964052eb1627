"""Feature maps as stacks of matrices in the order of memory, and tiles of such stacks."""

import math
from collections.abc import Iterator
from typing import NamedTuple, overload

import torch
from torch import Tensor


class Tile(NamedTuple):
    """A part of a stack of matrices: samples, rows and columns, or all of it if None."""

    parts: tuple[slice, slice, slice] | None

    @overload
    def cut(self, tensor: Tensor) -> Tensor: ...

    @overload
    def cut(self, tensor: None) -> None: ...

    def cut(self, tensor: Tensor | None) -> Tensor | None:
        """Return the part of a tensor that belongs to the tile.

        Its last three dimensions broadcast against the stack; those of size 1 are left as they are.
        """
        if tensor is None or self.parts is None:
            return tensor
        sizes = tensor.shape[-3:]
        own = (part if n > 1 else slice(None) for part, n in zip(self.parts, sizes, strict=True))
        return tensor[(..., *own)]


class Sum:
    """A tensor of a given shape, added up from what tiles contribute to their parts of it."""

    def __init__(self, shape: torch.Size) -> None:
        self.shape = shape
        self._total: Tensor | None = None

    def add(self, tile: Tile, part: Tensor) -> None:
        """Add the contribution of a tile."""
        if tile.parts is None:
            self._total = part
            return
        if self._total is None:
            self._total = part.new_zeros(self.shape)
        tile.cut(self._total).add_(part)

    def total(self) -> Tensor:
        """Return what was added up: every stack has a tile."""
        assert self._total is not None
        return self._total


class Layout:
    """How a map is read: as matrices (N, C, P), or (N, P, C) where it is channels_last.

    Args:
        x: Map, (N, C, *). One that is neither contiguous nor channels_last counts as contiguous.
    """

    def __init__(self, x: Tensor) -> None:
        self.shape = x.shape
        self.channels_last = (
            x.dim() == 4
            and not x.is_contiguous()
            and x.is_contiguous(memory_format=torch.channels_last)
        )
        self.channel = 2 if self.channels_last else 1

    def matrices(self, x: Tensor) -> Tensor:
        """View a map (N, C, *) as a stack of matrices; a copy if it lies otherwise in memory."""
        if self.channels_last:
            return x.permute(0, 2, 3, 1).contiguous().flatten(1, 2)
        return x.contiguous().flatten(2) if x.dim() > 2 else x.contiguous().unsqueeze(2)

    def map(self, matrices: Tensor) -> Tensor:
        """View a stack of matrices as a map: the inverse of `matrices`."""
        if self.channels_last:
            return matrices.unflatten(1, self.shape[2:]).permute(0, 3, 1, 2)
        return matrices.view(self.shape)

    def new_map(self, matrices: Tensor) -> Tensor:
        """Turn matrices that are nobody else's into a map that is not a view of them.

        Autograd lets nobody change a view that a function with a backward pass of its own returns.
        """
        n, c, *size = self.shape
        if not self.channels_last:
            return torch.ops.aten._unsafe_view(matrices, (n, c, *size))
        # In place, as what `permute` returns is a view; of one image, it keeps the strides of many.
        y = torch.ops.aten._unsafe_view(matrices, (n, *size, c))
        return y.transpose_(1, 3).transpose_(2, 3)

    def of_channels(self, values: Tensor) -> Tensor:
        """View (..., C) as (..., C, 1) or (..., 1, C)."""
        return values.unsqueeze(-2 if self.channels_last else -1)

    def of_positions(self, values: Tensor) -> Tensor:
        """View (..., P) as (..., 1, P) or (..., P, 1)."""
        return values.unsqueeze(-1 if self.channels_last else -2)

    def shift(self, grad_mean: Tensor) -> Tensor:
        """Return what the gradient of the means of planes (N, C) adds to that of every element."""
        return self.of_channels(grad_mean / math.prod(self.shape[2:]))

    def outer(self, factors: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor] | None:
        """View the factors (N, P) and (C,) of an outer product so that they broadcast."""
        if factors is None:
            return None
        return self.of_positions(factors[0]), self.of_channels(factors[1][None])

    def branches(self, coef: Tensor) -> Tensor:
        """Turn (N, C or 1, 2K) into 2K tensors, dense in C, that broadcast against the matrices.

        Strided ones would be read several times slower.
        """
        coef = coef.expand(-1, self.shape[1], -1).mT.contiguous()  # no copy of `Ranges.place`'s
        return self.of_channels(coef.movedim(1, 0))


def tiles(matrices: Tensor, elements: int | None) -> Iterator[Tile]:
    """Yield tiles of about `elements` elements, or one of everything if that is None.

    A tile is some whole samples, or some rows of one sample.
    """
    samples, rows, columns = matrices.shape
    if elements is None or matrices.numel() <= elements:
        yield Tile(None)
        return
    some_rows = min(rows, max(1, elements // columns))
    some_samples = max(1, elements // (rows * columns))
    for n in range(0, samples, some_samples):
        for row in range(0, rows, some_rows):
            yield Tile((slice(n, n + some_samples), slice(row, row + some_rows), slice(None)))
