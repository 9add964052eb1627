"""Starting a kernel, and adding up the partial sums that its programs leave."""

import torch
from torch import Tensor


def launch(kernel, programs: int, x: Tensor, *args, warps: int, **constants) -> None:
    """Run `programs` programs of a kernel on the device of `x`; none is fine.

    Args:
        kernel: A `triton.jit` function.
        programs: Size of the grid.
        x: A tensor on the device, which need not be the current one.
        args: Arguments of the kernel.
        warps: Warps of a program.
        constants: Its `tl.constexpr` arguments.
    """
    if programs:
        with torch.cuda.device_of(x):
            kernel[(programs,)](*args, num_warps=warps, **constants)


def total(parts: Tensor) -> Tensor:
    """Add up partial sums (N, parts, *) in a fixed order; one part costs nothing."""
    return parts.squeeze(1) if parts.shape[1] == 1 else parts.sum(1)
