"""Partial sums that programs leave."""

from torch import Tensor


def total(parts: Tensor) -> Tensor:
    """Add up partial sums (N, parts, *) in a fixed order; one part costs nothing."""
    return parts.squeeze(1) if parts.shape[1] == 1 else parts.sum(1)
