"""Starting a kernel: what a plan fixes about a launch, and the shorter way to start it again.

The first launch goes through Triton's `JITFunction`, which looks at every argument in every call to
find the compiled kernel that fits, and returns that kernel. Where all pointers are multiples of 16
bytes, as torch allocates them, the same numbers always find the same kernel, so it is then started
as in Triton's tutorials, `compiled[grid](*arguments)`, with addresses for pointers. Device, stream
and hooks are taken by Triton in every call, both ways. Read in the sources of Triton 3.3.1, 3.6.0
and 3.7.1, whose launchers take the same arguments in both ways; 3.6.0 was run, on an H100. Before
3.3 a compiled kernel took no constants. On any other version, on ROCm, and where a launch returns
no compiled kernel (the interpreter's), every launch is as the first.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from inspect import signature

import torch
import triton
from torch import Tensor
from triton.compiler import CompiledKernel

ALIGNED = 16  # bytes: what Triton tells apart about a pointer
VERSION = tuple(map(int, triton.__version__.split(".")[:2]))
DIRECT = (3, 3) <= VERSION <= (3, 7) and torch.version.hip is None


class Launch:
    """A launch of a kernel without its pointers, which come first in the kernel's signature.

    Args:
        kernel: A `triton.jit` function.
        programs: Size of the grid; none is fine.
        numbers: The kernel's numbers, which follow its pointers.
        warps: Warps of a program.
        constants: Its `tl.constexpr` arguments, which come last.
    """

    __slots__ = ("compiled", "constants", "grid", "kernel", "numbers", "warps")

    def __init__(
        self, kernel, programs: int, numbers: tuple[int, ...], warps: int, **constants
    ) -> None:
        self.kernel = kernel
        self.grid = (programs, 1, 1)
        self.numbers = numbers
        self.warps = warps
        self.constants = constants
        self.compiled = None

    def __call__(self, *pointers: Tensor | None) -> None:
        """Start the kernel on the current device, which is that of the tensors."""
        if self.grid[0]:
            self.compiled = self.kernel[self.grid](
                *pointers, *self.numbers, num_warps=self.warps, **self.constants
            )

    def again(self) -> Callable | None:
        """Return what starts the kernel as the last call did, for aligned pointers as numbers.

        None where only another call does.
        """
        if not DIRECT or not isinstance(self.compiled, CompiledKernel):
            return None
        start = self.compiled[self.grid]
        names = list(signature(self.kernel.fn).parameters)
        fixed = (*self.numbers, *map(self.constants.get, names[-len(self.constants) :]))
        return lambda *pointers: start(*pointers, *fixed)


def on_device(x: Tensor) -> AbstractContextManager:
    """Return a context in which the device of `x`, if it has a number, is the current one."""
    return torch.cuda.device_of(x)


def total(parts: Tensor) -> Tensor:
    """Add up partial sums (N, parts, *) in a fixed order; one part costs nothing."""
    return parts.squeeze(1) if parts.shape[1] == 1 else parts.sum(1)
