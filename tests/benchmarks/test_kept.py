"""benchmarks/kept.py: what models keep for backward with norms and sums folded in."""

import kept

from dyrelu_pose.records.files import read_csv

RELU, _, FUSED = kept.VARIANTS


def test_writes_a_row_per_variant(tmp_path):
    out = tmp_path / "kept.csv"
    kept.main(["--models", "resnet18", "--out", str(out)])
    relu, plain, fused = read_csv(out)
    assert relu["input"] == plain["input"] == fused["input"] == "256x192"
    assert float(relu["times_relu"]) == 1
    assert float(plain["times_relu"]) > 1.4
    assert float(fused["times_relu"]) < 1.2  # C in the head keeps its maps


def test_hrnet_keeps_little_more_than_its_relu_twin():
    relu, fused = kept.measure("hrnet", (RELU, FUSED))
    assert fused["kept_bytes"] <= 1.05 * relu["kept_bytes"]
