"""Coefficients computed in half precision are too coarse, so a layer runs without autocast."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(x: Tensor) -> AbstractContextManager:
    """Return a context without autocast on the device of `x`; the meta device has none anyway."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)
