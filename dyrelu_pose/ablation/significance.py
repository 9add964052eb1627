"""Means over seeds, and what speaks for a difference to the baseline."""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean, stdev

from scipy.stats import ttest_rel

SEEDS_TO_TEST = 3


@dataclass(frozen=True)
class Summary:
    """What the seeds of a cell come to.

    Attributes:
        seeds: Number of seeds.
        mean: Mean over the seeds.
        std: Sample standard deviation (n - 1); None with one seed.
        difference: Mean difference to the baseline over the seeds that both have; None if there
            are none.
        p: Two-sided p-value of the paired t-test over these seeds; None below three of them, and
            where all differences are zero.
        interval: 95 % confidence interval of the difference, of the same test; None where p is.
    """

    seeds: int
    mean: float
    std: float | None
    difference: float | None
    p: float | None
    interval: tuple[float, float] | None


def summarize(values: Mapping[int, float], baseline: Mapping[int, float]) -> Summary:
    """Sum a cell up.

    The same seed draws the same order of images, so cell and baseline are compared seed by seed.

    Args:
        values: The cell's figure by seed, at least one.
        baseline: The baseline's.

    Example:
        >>> summarize({0: 3.0, 1: 5.0}, {0: 2.0, 1: 3.0})
        Summary(seeds=2, mean=4.0, std=1.4142135623730951, difference=1.5, p=None, interval=None)
    """
    shared = sorted(values.keys() & baseline.keys())
    ours, theirs = [values[s] for s in shared], [baseline[s] for s in shared]
    p, interval = _paired_test(ours, theirs)
    return Summary(
        seeds=len(values),
        mean=mean(values.values()),
        std=stdev(values.values()) if len(values) > 1 else None,
        difference=mean(a - b for a, b in zip(ours, theirs, strict=True)) if shared else None,
        p=p,
        interval=interval,
    )


def _paired_test(
    ours: list[float], theirs: list[float]
) -> tuple[float, tuple[float, float]] | tuple[None, None]:
    """Return p and the 95 % confidence interval of the mean difference, if there are any."""
    if len(ours) < SEEDS_TO_TEST:
        return None, None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of equal differences: p is 0 or NaN
        test = ttest_rel(ours, theirs)
        low, high = test.confidence_interval(0.95)
    if math.isnan(test.pvalue):
        return None, None
    return float(test.pvalue), (float(low), float(high))
