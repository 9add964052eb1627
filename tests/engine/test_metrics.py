"""The metrics of an evaluation are kept with where they come from."""

import json
from types import SimpleNamespace

import pytest
from mmengine.fileio import load

from dyrelu_pose.engine.metrics import SaveMetricsHook, read_metrics
from dyrelu_pose.errors import UserError
from dyrelu_pose.records.origin import origin

METRICS = {"coco/AP": 0.25, "coco/AP .5": 0.5}


@pytest.mark.parametrize("name", ["metrics.json", "metrics.yaml"])
def test_metrics_keep_their_keys_beside_their_origin(tmp_path, name):
    out = tmp_path / "new" / name
    SaveMetricsHook(out).after_test_epoch(SimpleNamespace(rank=0), METRICS)
    assert load(out) == {**METRICS, "origin": origin()}


@pytest.mark.parametrize(("rank", "metrics"), [(1, METRICS), (0, None)])
def test_only_the_main_process_writes_and_only_what_there_is(tmp_path, rank, metrics):
    SaveMetricsHook(tmp_path / "metrics.json").after_test_epoch(SimpleNamespace(rank=rank), metrics)
    assert not list(tmp_path.iterdir())


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
