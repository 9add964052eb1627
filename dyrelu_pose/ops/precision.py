"""Coefficients in half precision are too coarse: they take float32, and no autocast."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def compute_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype to compute in for `x`: its own, but float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)


def without_autocast(x: Tensor, backward: bool = False) -> AbstractContextManager:
    """Return a context without autocast on the device of `x`: an empty one where there is none.

    With `backward`, a compiler gets one in any case: it traces a backward pass inside of what the
    forward pass disabled, and runs it outside.
    """
    if x.is_meta:
        return nullcontext()
    compiled = backward and torch.compiler.is_compiling()
    if not (compiled or torch.is_autocast_enabled(x.device.type)):  # entering one takes 5 us
        return nullcontext()
    return torch.autocast(x.device.type, enabled=False)
