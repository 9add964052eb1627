"""The width of a band: 0 for every function of the input alone."""

import numpy as np
import pytest
from torch import nn

from dyrelu_pose.inspection.activations import SiteRecord
from dyrelu_pose.inspection.statistics import (
    conditional_std,
    relative_conditional_std,
    widest_channel,
)
from dyrelu_pose.placement import Site

SITE = Site("relu", 3, (8, 8), "ReLU")
SLOPES = np.array([1.0, 0.3, 2.0])


def record_of(function):
    """A record of 20 images whose outputs are `function(image, inputs)`."""
    x = list(np.random.default_rng(0).normal(size=(20, 400, 3)).astype(np.float32))
    return SiteRecord(SITE, nn.ReLU(), x, [function(i, values) for i, values in enumerate(x)])


def test_a_slope_per_channel_is_no_band():
    record = record_of(lambda image, x: np.maximum(SLOPES * x, 0.1 * x))
    assert relative_conditional_std(record) < 1e-3


def test_a_slope_per_image_is_a_band_of_known_width():
    record = record_of(lambda image, x: (1 + 0.5 * (-1) ** image * (SLOPES == 2)) * x)
    # At input x the outputs have a std of 0.5 abs(x), whose root mean square is 0.5.
    assert conditional_std(record)[2] == pytest.approx(0.5, rel=0.1)
    assert conditional_std(record)[:2].max() < 1e-3
    assert widest_channel(record) == 2


def test_equal_inputs():
    record = record_of(lambda image, x: np.zeros_like(x))
    record.x = [np.zeros_like(x) for x in record.x]
    assert relative_conditional_std(record) == 0
