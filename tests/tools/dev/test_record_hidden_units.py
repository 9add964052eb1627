"""Hidden units are counted by part, and rows of other models stay."""

import csv
from types import SimpleNamespace

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import ROOT
from tests.scripts import load

CONFIG = str(ROOT / "configs/demo/dyrelu_resnet18.py")


@pytest.fixture
def run(monkeypatch, tmp_path):
    """A function that counts for a model, given the fractions alive by site; returns the rows."""
    tool = load("tools/dev/record_hidden_units.py")
    out = tmp_path / "hidden_units.csv"

    def main(name, alive):
        records = [SimpleNamespace(site=SimpleNamespace(name=site)) for site in alive]
        monkeypatch.setattr(tool, "load_trained", lambda *_: None)
        monkeypatch.setattr(tool, "find_sites", lambda *_: [])
        monkeypatch.setattr(tool, "samples", lambda *_: [])
        monkeypatch.setattr(tool, "collect", lambda *_: (records, [None] * 5))
        monkeypatch.setattr(
            tool, "statistics", lambda record: dict(hidden_alive=alive[record.site.name])
        )
        tool.main([CONFIG, "weights.pth", name, "--out", str(out)])
        with out.open(newline="") as table:
            return list(csv.DictReader(table))

    return main


def test_parts_are_counted_and_other_models_stay(run):
    run("other", {"head.final_layer": 0.5})
    run("model", {"head.final_layer": 0.1})
    rows = run("model", {"backbone.relu": 0.0, "backbone.layer1.relu": 0.5, "head.final_layer": 1})
    shown = ("model", "part", "sites", "sites_none_alive", "mean_alive", "images")
    assert [[row[name] for name in shown] for row in rows] == [
        ["other", "head", "1", "0", "0.5", "5"],
        ["model", "backbone", "2", "1", "0.25", "5"],
        ["model", "head", "1", "0", "1", "5"],
    ]
    assert rows[0]["command"].startswith("python ")


def test_a_model_without_dyrelu_is_an_error(run):
    with pytest.raises(UserError, match="has no DyReLU"):
        run("model", {})
