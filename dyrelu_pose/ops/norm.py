"""Batch normalization as a function per channel, u = t x + v, and its running statistics."""

from typing import NamedTuple

import torch
from torch import Tensor


class Norm(NamedTuple):
    """A batch normalization of C channels: weights, fixed statistics if any, and epsilon."""

    weight: Tensor | None
    bias: Tensor | None
    mean: Tensor | None  # None: those of the batch
    variance: Tensor | None
    eps: float

    def to(self, dtype: torch.dtype) -> "Norm":
        """Return the norm with its tensors in a dtype."""
        weight, bias, mean, variance = (None if t is None else t.to(dtype) for t in self[:4])
        return Norm(weight, bias, mean, variance, self.eps)

    def normalize(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the normalized x, and the mean and the variance it was normalized with."""
        mean, variance = self.mean, self.variance
        if mean is None or variance is None:  # they come together
            mean = x.transpose(0, 1).flatten(1).mean(1)
            variance = x.transpose(0, 1).flatten(1).var(1, correction=0)
        t, v = affine(self.weight, self.bias, mean, torch.rsqrt(variance + self.eps))
        shape = (-1, *(1,) * (x.dim() - 2))
        return x * t.view(shape) + v.view(shape), mean, variance


class Running(NamedTuple):
    """Running statistics of a batch normalization of C channels."""

    mean: Tensor  # (C,)
    variance: Tensor  # (C,), unbiased
    batches: Tensor  # that they are of, a count
    momentum: float | None  # share of a new batch; None: the mean over all batches

    def take(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take the statistics of a batch in, as `nn.BatchNorm2d` does.

        Args:
            mean: Mean of each channel, (C,).
            variance: Biased variance of each channel, (C,).
            count: Number of values of a channel, N P.
        """
        with torch.no_grad():
            self.batches.add_(1)
            share = self.momentum
            if share is None:
                share = 1 / self.batches.to(mean.dtype)
            unbiased = variance * (count / (count - 1))
            for running, new in ((self.mean, mean), (self.variance, unbiased)):
                running.lerp_(new.to(running.dtype), share)


def affine(
    weight: Tensor | None, bias: Tensor | None, mean: Tensor, rstd: Tensor
) -> tuple[Tensor, Tensor]:
    """Return t and v of u = t x + v, each (C,)."""
    t = rstd if weight is None else weight * rstd
    return t, -mean * t if bias is None else bias - mean * t
