"""Run models where tensors have shapes but no values, or on the CPU if they need values."""

from collections.abc import Callable
from typing import TypeVar

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

Result = TypeVar("Result")


def run_without_values(call: Callable[[str], Result]) -> Result:
    """Return what a call makes of the meta device, or of the CPU where it fails on that.

    Args:
        call: Called with the name of the device, on which new tensors are then made; it must leave
            no trace where it fails.

    Raises:
        Exception: The call's own, on the CPU.
    """
    try:
        with torch.device("meta"):
            return call("meta")
    except Exception:  # on meta anything may fail: no kernel, values read, NumPy
        pass
    with torch.device("cpu"):
        return call("cpu")


def run_tensor_mode(model: nn.Module, images: Tensor) -> object:
    """Run a model on images (N, 3, H, W), an MMEngine model up to the raw output of its head."""
    if isinstance(model, BaseModel):
        return model(images, data_samples=None, mode="tensor")
    return model(images)
