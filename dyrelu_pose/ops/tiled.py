"""Running a function over a map tile by tile on a CPU, and over the whole map elsewhere."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from .layout import Tile, tiles

Out = Sequence[Tensor] | None  # where a function may compute its results in place


class Tiled:
    """What passes over a feature map in PyTorch operations have in common.

    Args:
        tile: Elements of a tile, on a CPU; None computes on whole maps.
    """

    def __init__(self, tile: int | None = None) -> None:
        self._tile = tile

    def _fill(
        self, like: Sequence[Tensor], dtype: torch.dtype, part: Callable[[Tile, Out], Sequence]
    ) -> Sequence[Tensor]:
        """Return tensors like those in `like`, made of what `part(tile, out)` computes in `dtype`.

        The maps in `like` have one shape and dtype.
        """
        first, *others = self._tiles(like[0])
        if first.parts is None:
            return [result.to(x.dtype) for result, x in zip(part(first, None), like, strict=True)]
        results = [torch.empty_like(x) for x in like]
        for tile in (first, *others):
            out = [tile.cut(result) for result in results]
            if like[0].dtype == dtype:
                part(tile, out)
            else:
                for own, computed in zip(out, part(tile, None), strict=True):
                    own.copy_(computed)
        return results

    def _tiles(self, x: Tensor) -> Iterator[Tile]:
        tiled = x.device.type == "cpu" and not torch.compiler.is_compiling()
        return tiles(x, self._tile if tiled else None)
