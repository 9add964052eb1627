"""DyReLU on a CPU, a tile at a time.

Two dozen elementwise passes over a whole feature map spend their time in fetching memory, much of
it touched for the first time. Over tiles that stay in the caches they do not.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from .kernels import backward, forward

TILE = 2**17  # elements; smaller ones pay for more calls than they save in memory


class _Layout:
    """How samples are cut: rows of matrices (channels, positions), transposed in channels_last."""

    def __init__(self, x: Tensor) -> None:
        self.channels_last = x.dim() == 4 and not x.is_contiguous()
        self.format = torch.channels_last if self.channels_last else torch.contiguous_format
        self.position, self.channel = (1, 2) if self.channels_last else (2, 1)  # of a tile

    def dense(self, x: Tensor) -> Tensor:
        """Return `x` without holes, copied only if it has some."""
        return x.contiguous(memory_format=self.format)

    def matrices(self, x: Tensor) -> Tensor:
        """View (N, C, *) as N matrices, in the order of memory."""
        if self.channels_last:
            return x.permute(0, 2, 3, 1).flatten(1, 2)
        return x.flatten(2) if x.dim() > 2 else x.unsqueeze(2)

    def coefficients(self, c: Tensor, channels: int) -> Tensor:
        """Turn (N, C or 1, K) into (K, N, 1, C), or (K, N, C, 1), to broadcast over matrices."""
        c = c.expand(-1, channels, -1).movedim(2, 0).contiguous()
        return c.unsqueeze(2 if self.channels_last else 3)

    def tiles(self, x: Tensor) -> Iterator[tuple[slice, slice, slice, slice]]:
        """Yield samples, rows, and the rows of coefficients and of the map that go with them."""
        samples, rows, columns = x.shape
        some_rows = min(rows, max(1, TILE // max(1, columns)))
        some_samples = max(1, TILE // max(1, some_rows * columns)) if some_rows == rows else 1
        every = slice(None)
        for n in range(0, samples, some_samples):
            for start in range(0, rows, some_rows):
                part = slice(start, start + some_rows)
                own = (every, part) if self.channels_last else (part, every)
                yield slice(n, n + some_samples), part, *own


def tiled_forward(x: Tensor, a: Tensor, b: Tensor, pi: Tensor | None) -> Tensor:
    """Compute `dyrelu` or, with `pi`, `dyrelu_spatial`: see there."""
    layout = _Layout(x)
    y = torch.empty_like(layout.dense(x))
    rows_y, rows_x = layout.matrices(y), layout.matrices(layout.dense(x))
    a, b = (layout.coefficients(c, x.shape[1]) for c in (a, b))
    map_rows = None if pi is None else layout.matrices(pi.contiguous())
    for n, rows, of_channel, of_map in layout.tiles(rows_x):
        map_tile = None if pi is None else map_rows[n, of_map]
        rows_y[n, rows] = forward(
            rows_x[n, rows], a[:, n, of_channel].unbind(), b[:, n, of_channel].unbind(), map_tile
        )
    return y


def tiled_backward(
    x: Tensor, a: Tensor, b: Tensor, pi: Tensor | None, grad: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Return the gradients of x (N, C, *), of a and b (N, C, K), unshared, and of pi (N, 1, *)."""
    layout = _Layout(x)
    grad_x = torch.empty_like(layout.dense(x))
    rows_gx, rows_x, rows_g = map(layout.matrices, (grad_x, layout.dense(x), layout.dense(grad)))
    a, b = (layout.coefficients(c, x.shape[1]) for c in (a, b))
    grad_a, grad_b = torch.zeros_like(a), torch.zeros_like(b)
    grad_pi = None if pi is None else torch.zeros_like(pi, dtype=a.dtype).contiguous()
    map_rows, rows_gpi = (
        None if m is None else layout.matrices(m.contiguous()) for m in (pi, grad_pi)
    )
    for n, rows, of_channel, of_map in layout.tiles(rows_x):
        gx, ga, gb, gpi = backward(
            rows_x[n, rows],
            a[:, n, of_channel].unbind(),
            b[:, n, of_channel].unbind(),
            None if pi is None else map_rows[n, of_map],
            rows_g[n, rows],
            (layout.position,),
            layout.channel,
        )
        rows_gx[n, rows] = gx
        grad_a[:, n, of_channel] += torch.stack(ga)
        grad_b[:, n, of_channel] += torch.stack(gb)
        if pi is not None:
            rows_gpi[n, of_map] += gpi
    shape = (a.shape[0], *x.shape[:2])
    return grad_x, *(g.reshape(shape).movedim(0, 2) for g in (grad_a, grad_b)), grad_pi
