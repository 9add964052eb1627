"""The figures of a DyReLU, on coefficients that are known."""

import csv

import numpy as np
import pytest

from dyrelu_pose.inspection.activations import SiteRecord
from dyrelu_pose.inspection.statistics import statistics, write_statistics
from dyrelu_pose.layers import DyReLUB, DyReLUC
from dyrelu_pose.placement import Site


def record_of(a, b, layer=None, **kwargs):
    a, b = np.array(a, float), np.array(b, float)
    site = Site("head.relu", a.shape[1], (4, 3), "DyReLUB")
    pooled = np.array([[3.0, 4.0], [3.0, 4.0]])
    hidden = np.array([[0.0, 0.0, 2.0], [0.0, 1.0, 0.0]])
    return SiteRecord(site, layer or DyReLUB(2), pooled=pooled, hidden=hidden, a=a, b=b, **kwargs)


def test_relu_has_a_gap_of_one_and_nothing_bent():
    row = statistics(record_of([[[1, 0]] * 2] * 2, [[[0, 0]] * 2] * 2))
    assert row["slope_gap"] == 1
    assert row["bent"] == 0
    assert row["a1_mean"] == 1
    assert row["a1_std_images"] == row["a1_std_channels"] == 0
    assert row["pooled_std_images"] == 0
    assert row["hidden_alive"] == pytest.approx(2 / 3)
    assert row["map_std"] == ""


def test_images_are_told_from_channels():
    # Channel 0 follows the image in a_1, channel 1 has a slope of its own in a_2.
    row = statistics(record_of([[[0.8, 0], [1, 0.5]], [[1.2, 0], [1, 0.5]]], np.zeros((2, 2, 2))))
    assert row["a1_std_images"] == pytest.approx(0.2 / np.sqrt(2))
    assert row["a1_std_channels"] == pytest.approx(0)
    assert row["a2_std_images"] == pytest.approx(0)
    assert row["a2_std_channels"] == pytest.approx(0.25)
    assert row["bent"] == 1
    assert row["slope_gap"] == pytest.approx((0.8 + 0.5 + 1.2 + 0.5) / 4)


def test_bent_by_an_intercept_alone():
    row = statistics(record_of([[[1, 0]] * 2] * 2, [[[0, 0.06], [0, 0.04]]] * 2))
    assert row["bent"] == 0.5


def test_map_of_c():
    maps = [np.array([[1.0, 3.0]]), np.array([[2.0, 2.0]])]
    row = statistics(record_of([[[1, 0]] * 2] * 2, [[[0, 0]] * 2] * 2, DyReLUC(2), maps=maps))
    assert row["map_std"] == pytest.approx(0.5 / np.sqrt(2))


def test_file_has_a_column_for_each_branch(tmp_path):
    two = statistics(record_of([[[1, 0]] * 2] * 2, [[[0, 0]] * 2] * 2))
    three = statistics(record_of([[[1, 0, 0]] * 2] * 2, [[[0, 0, 0]] * 2] * 2))
    write_statistics([two, three], tmp_path / "rows.csv")
    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert [row["a3_mean"] for row in rows] == ["", "0"]
    assert rows[0]["site"] == "head.relu"
    assert rows[0]["map"] == "4x3"
