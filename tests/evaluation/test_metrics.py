"""Metrics are read from what tools/test.py --out wrote."""

import json

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.evaluation.metrics import read_metrics


def test_metrics_come_without_their_origin(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"coco/AP": 0.5, "coco/AR": 0.6, "origin": {"date": "2026"}}))
    assert read_metrics(path) == {"coco/AP": 0.5, "coco/AR": 0.6}


@pytest.mark.parametrize("content", [None, "{", "[]", "1", '{"coco/AR": 0.5}'])
def test_what_holds_none_is_named(tmp_path, content):
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match="metrics.json holds no"):
        read_metrics(path)
