"""benchmarks/model.py: what it writes, and that no wrong variant gets through."""

import model
import pytest
import torch
from cases import Network
from variants import Variant, variants

RELU, FUSED = (
    next(v for v in variants("cpu") if v.name == name)
    for name in ("ReLU", "DyReLU fuse_norm, eager")
)
ARGS = model.parse_args(["--device", "cpu", "--repeats", "1", "--batch", "1"])


def test_variants_are_measured_and_a_wrong_one_is_refused(monkeypatch):
    wrong = Variant("wrong", "auto")
    build = model.build

    def build_wrong(name, variant, seed):
        built = build(name, variant, seed)
        if variant is wrong:
            built.register_forward_hook(lambda module, args, output: output * 1.01)
        return built

    monkeypatch.setattr(model, "build", build_wrong)
    records, refusals = model.measure(Network("mobilenetv2"), (RELU, FUSED, wrong), ARGS)
    assert refusals == ["wrong: heatmaps in evaluation is off by 0.01, 0.0001 is allowed"]
    assert [(r["row"], r["what"], r["batch"]) for r in records] == [
        (row, what, batch)
        for what, batch in (("training step", 1), ("inference", 1))
        for row in ("ReLU", "DyReLU fuse_norm, eager")
    ]
    for r in records:
        assert 0 < r["p20_ms"] <= r["median_ms"] <= r["p80_ms"]
    relu, fused = records[:2]
    assert relu["times_relu"] == relu["peak_times_relu"] == 1
    assert fused["peak_bytes"] > fused["kept_bytes"] > 0
    assert fused["parameters"] > relu["parameters"]


@pytest.mark.parametrize(
    ("wrong", "change"),
    [("heatmaps in training", 0.1), ("gradient", 0.2), ("gradient", float("nan"))],
)
def test_every_result_is_verified(wrong, change):
    expected = {name: torch.ones(5, dtype=torch.float64) for name in model.TOLERANCES}
    assert model.disagreement(expected, expected) is None
    found = {**expected, wrong: expected[wrong] + change}
    assert model.disagreement(found, expected).startswith(wrong)
