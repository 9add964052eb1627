"""Placing in MMPose's own configs: a few in every run, all of them in the slow one."""

import pytest

from dyrelu_pose.models.sweep import explain, read_csv, summarize, sweep, wheel_configs
from dyrelu_pose.paths import ROOT
from tests.scripts import run

RECORDED = {row.config: row for row in read_csv(ROOT / "results/coverage.csv")}


def test_record_names_every_config_and_a_reason_for_each_that_is_not_placed():
    assert sorted(RECORDED) == sorted(wheel_configs())
    for row in RECORDED.values():
        assert row.status == "placed" or (row.status, bool(row.reason)) == ("not built", True)


@pytest.mark.parametrize(
    "pattern",
    [
        "*/td-hm_mobilenetv2_8xb64-210e_coco-256x192.py",
        "*/cid_hrnet-w32_8xb20-140e_coco-512x512.py",  # reads values: no probe on meta
        "*/edpose_res50_8xb2-50e_coco-800x1333.py",  # broken in the wheel
        "*/simcc_mobilenetv2_wo-deconv-8xb64-210e_coco-256x192.py",
    ],
)
def test_config_comes_out_as_recorded(pattern):
    (config,) = wheel_configs(pattern)
    (row,) = sweep([config])
    assert row == RECORDED[config]


@pytest.mark.slow
def test_every_config_comes_out_as_recorded():
    rows = list(sweep(wheel_configs()))
    assert rows == list(RECORDED.values()), summarize(rows)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("mmpretrain.X is not in the mmpose::model registry", "needs MMPretrain, for X"),
        ("something\nelse", "ValueError: something else"),
    ],
)
def test_reason_is_what_is_needed_or_the_error(message, reason):
    assert explain(ValueError(message)) == reason


def test_tool_refuses_a_pattern_without_configs():
    printed = run("tools/dev/sweep_mmpose_configs.py", "--pattern", "nothing*", expect=1)
    assert "error: no 2D config of MMPose matches --pattern 'nothing*'" in printed
