"""The statistics of a batch from those of planes, and the gradient that passes through them."""

from torch import Tensor

from .norm import Norm
from .passes import Passes


def statistics(norm: Norm, x: Tensor, passes: Passes) -> tuple[Tensor, Tensor, Tensor]:
    """Return the means of planes (N, C), and mean and variance (C,) to normalize x with."""
    if norm.mean is not None and norm.variance is not None:
        return passes.pool(x, None)[0], norm.mean, norm.variance
    means, variances = passes.moments(x)  # of planes
    mean = means.mean(0)
    return means, mean, (variances + (means - mean).square()).mean(0)


def through_statistics(
    t: Tensor, mean: Tensor, rstd: Tensor, grad_weight: Tensor, total: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Return slope and shift (C,) of what the statistics of a batch add to x' = t u'.

    Args:
        t: Slope of the normalization, (C,).
        mean: Mean of the batch, (C,).
        rstd: Reciprocal of its standard deviation, (C,).
        grad_weight: Gradient of the norm's weight, (C,).
        total: Sum of u' over the batch, (C,).
        count: Number of values of a channel, N P.
    """
    slope = t * grad_weight * (-rstd / count)
    return slope, -(t * total / count + slope * mean)
