"""Summaries against figures derived by hand."""

import math

import pytest

from dyrelu_pose.ablation.significance import summarize


def test_three_seeds_by_hand():
    # Differences 1, 2, 3: mean 2, standard deviation 1, t = 2 / (1 / sqrt(3)) = 3.4641 at two
    # degrees of freedom, where p = 1 - t / sqrt(t^2 + 2) = 1 - 3.4641 / 3.7417 = 0.0742.
    summary = summarize({0: 11.0, 1: 14.0, 2: 14.0}, {0: 10.0, 1: 12.0, 2: 11.0})
    assert summary.seeds == 3
    assert summary.mean == 13.0
    assert summary.difference == 2.0
    assert summary.std == pytest.approx(math.sqrt((4 + 1 + 1) / 2))
    assert summary.p == pytest.approx(1 - math.sqrt(12 / 14))
    # 4.3027: the 97.5 % point of Student's t at two degrees of freedom
    half = 4.3027 / math.sqrt(3)
    assert summary.interval == pytest.approx((2 - half, 2 + half), abs=1e-4)


def test_only_shared_seeds_are_compared():
    summary = summarize({0: 10.0, 1: 20.0, 5: 60.0}, {1: 18.0, 5: 57.0, 7: 0.0})
    assert summary.mean == 30.0
    assert summary.difference == 2.5
    assert summary.p is None
    assert summary.interval is None


def test_one_seed_has_no_spread():
    summary = summarize({0: 10.0}, {0: 9.0})
    assert (summary.std, summary.difference, summary.p) == (None, 1.0, None)


def test_no_baseline_no_difference():
    summary = summarize({0: 10.0, 1: 12.0}, {})
    assert (summary.mean, summary.difference, summary.p) == (11.0, None, None)


def test_the_baseline_itself_has_no_p():
    values = {0: 1.0, 1: 2.0, 2: 3.0}
    summary = summarize(values, values)
    assert (summary.difference, summary.p) == (0.0, None)
