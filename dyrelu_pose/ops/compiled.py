"""The passes through torch.compile: one kernel each, compiled once for maps of any size."""

import functools
import warnings
from collections.abc import Callable

import torch

from .eager import EAGER, TorchPasses
from .passes import Passes

VARIANTS = 64  # of one pass: memory format, dtype, K, spatial map or none, batch of one or more


def compiled_or_eager(device: torch.device) -> Passes:
    """Return the compiled passes, or with one warning the eager ones where no compiler works."""
    return COMPILED if _compiler_works(device) else EAGER


def _compile(function: Callable) -> Callable:
    compiled = torch.compile(function, dynamic=True)

    def call(*args):
        with torch._dynamo.config.patch(recompile_limit=VARIANTS):
            return compiled(*args)

    return call


@functools.cache
def _compiler_works(device: torch.device) -> bool:
    try:
        torch.compile(torch.neg)(torch.zeros(8, device=device))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        warnings.warn(
            f"dyrelu backend 'compile' falls back to 'eager': torch.compile fails on {device} "
            f"({reason}); it needs a C++ compiler on a CPU, Triton on a GPU",
            stacklevel=2,
        )
        return False
    return True


COMPILED: Passes = TorchPasses(wrap=_compile)
