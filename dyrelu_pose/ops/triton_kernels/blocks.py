"""How a map is cut into programs: simple rules instead of autotuning.

Autotuning would time variants at the first call of every size, and could choose another order of
summation in the next run. Block sizes are powers of two below a cap, so a kernel is compiled for a
class of sizes, not for each. The rules follow from how GPUs hide latency and were not timed.
"""

import functools
from typing import NamedTuple

import torch

from .maps import Planes

LARGE = 4096  # elements that a program writes: 32 per thread of 4 warps,
SMALL = 1024  # or fewer where that would leave processors without work
CHANNELS = 32  # neighbours in memory: 64 bytes of half precision, two sectors
MANY = 4  # warps of a program that sums, where many programs hide the latency of loads,
FEW = 16  # and where the warps of a few programs have to
SPLIT = 2**18  # elements above which a program's sum is split: a launch more is cheaper then
PART = 2**15  # elements of each part


class Blocks(NamedTuple):
    """How the programs of a pass share its map."""

    channels: int  # at a time, a power of two
    positions: int  # at a time, a power of two
    chunk: int  # positions of a program, a multiple of `positions`
    splits: int  # programs that share the positions of a channel
    warps: int

    def of_channels(self, view: Planes) -> int:
        """Return how many blocks the channels of a sample make."""
        return max(1, parts(view.shape[1], self.channels))

    def programs(self, view: Planes) -> int:
        """Return how many programs there are."""
        return view.shape[0] * self.splits * self.of_channels(view)


def blocks_to_write(view: Planes) -> Blocks:
    """Return the blocks of a pass that writes a map: one tile per program."""
    samples, channels, positions = view.shape
    large = samples * channels * positions >= 4 * LARGE * processors(view.tensor.device)
    block_c, block_p = _tile(view, LARGE if large else SMALL, CHANNELS, view.channels_inner)
    warps = _warps(block_c * block_p // 256, 4)
    return Blocks(block_c, block_p, block_p, parts(positions, block_p), warps)


def blocks_to_sum(view: Planes, each: int, both: bool = False) -> Blocks:
    """Return the blocks of a pass that sums over positions.

    Args:
        view: The map.
        each: Elements that a thread holds at a time: fewer if it keeps more sums.
        both: Whether it sums over channels too. Those sums leave a partial sum per position and
            block of channels, so that blocks are as wide in channels as those of channels_last.
    """
    samples, channels, positions = view.shape
    wide = view.channels_inner or both
    programs = samples * parts(channels, CHANNELS if wide else 1)
    few = programs < 2 * processors(view.tensor.device)
    tile = 32 * each * (FEW if few else MANY)
    block_c, block_p = _tile(view, tile, CHANNELS // 2 if few else CHANNELS, wide)
    if few:
        block_c = min(block_c, max(SMALL // block_p, CHANNELS // 2 if wide else 1))
    chunk = PART // block_c if few and block_c * positions > SPLIT else positions
    chunk = max(1, parts(chunk, block_p)) * block_p
    warps = _warps(block_c * block_p // (32 * each), FEW)
    return Blocks(block_c, block_p, chunk, max(1, parts(positions, chunk)), warps)


@functools.cache
def processors(device: torch.device) -> int:
    """Return the number of multiprocessors of a GPU; the interpreter counts as a small one."""
    if device.type != "cuda":
        return 16
    return torch.cuda.get_device_properties(device).multi_processor_count


def _tile(view: Planes, elements: int, most: int, wide: bool) -> tuple[int, int]:
    """Return a block of channels and one of positions that make a tile of `elements` or fewer.

    Positions come first; if `wide`, channels up to `most` do. What remains is filled with channels.
    """
    _, channels, positions = view.shape
    first = _pow2(channels, min(most, elements)) if wide else 1
    block_p = _pow2(positions, elements // first)
    return _pow2(channels, elements // block_p), block_p


def parts(size: int, each: int) -> int:
    """Return how many parts of `each` cover `size`, the last of them maybe not in full."""
    return -(-size // each)


def power_of_two(size: int) -> int:
    """Return the least power of two that is not below `size`."""
    return 1 << max(0, size - 1).bit_length()


def _pow2(size: int, cap: int) -> int:
    """Return the least power of two that is not below `size`, or `cap` if that is less."""
    return max(1, min(power_of_two(size), cap))


def _warps(warps: int, most: int) -> int:
    return max(1, min(warps, most))
