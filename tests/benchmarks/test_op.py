"""benchmarks/op.py: what it writes, and that no wrong row gets through."""

import op
import pytest
import torch
from cases import FORMATS, SERIES, Case, sites
from chart import draw
from records import write
from rows import NORM_B, REFERENCES, ROWS, USUAL, B, Row
from torch import nn
from usual import UsualDyReLUB
from verify import disagreement, outcome

from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.ops import dyrelu_given
from dyrelu_pose.records.files import read_csv

SHAPE = (3, 8, 5, 4)
ARGS = op.parse_args(["--device", "cpu", "--repeats", "1"])
# Compiling takes longer than a test should; those rows run whenever the benchmark does.
UNCOMPILED = [row for row in ROWS if "cpu" in row.devices and "compile" not in row.name]


def measure(rows, memory_format="NCHW", dtype="float32"):
    return op.measure(Case(SERIES, SHAPE, memory_format), dtype, rows, ARGS)


@pytest.mark.parametrize("memory_format", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_row_is_measured(memory_format, dtype):
    records, refusals = measure(UNCOMPILED, memory_format, dtype)
    assert refusals == []
    for what in ("forward", "forward + backward"):
        assert [r["row"] for r in records if r["what"] == what] == [row.name for row in UNCOMPILED]
    for r in records:
        assert 0 < r["p20_ms"] <= r["median_ms"] <= r["p80_ms"]
        assert r["roofline"] == pytest.approx(r["gb_per_s"] / r["copy_gb_per_s"])
        assert (r["usual_times"] != "") == (r["row"] in (USUAL, f"{B} eager", f"{B} numba"))
        assert r["peak_bytes"] >= r["input_bytes"] == 3 * 8 * 5 * 4 * op.DTYPES[dtype].itemsize
        for column in ("device", "threads", "versions", "seed", "command", "date"):
            assert r[column] not in ("", None), column


def test_rows_refer_to_each_other():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert USUAL in names
    for row in ROWS:
        assert row.baseline in names
        assert row.reference in (None, *REFERENCES)


class WrongOutput(DyReLUB):
    def forward(self, x):
        return super().forward(x) * 1.001


class WrongInEvaluation(DyReLUB):
    def forward(self, x):
        return super().forward(x if self.training else x + 0.01)


class NoGradientThroughPooling(DyReLUB):
    def forward(self, x):
        return dyrelu_given(x, *self.coefficients(x.detach()))


class NotFinite(DyReLUB):
    def forward(self, x):
        return super().forward(x) / 0


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (WrongOutput, "is off by"),
        (WrongInEvaluation, "output in evaluation is off by"),
        (NoGradientThroughPooling, "gradient of input is off by"),
        (NotFinite, "is off by inf"),
    ],
)
def test_a_wrong_row_is_refused(layer, wrong):
    rows = [Row("ReLU", lambda channels: nn.ReLU()), Row("wrong", layer, reference=B)]
    records, refusals = measure(rows)
    assert {r["row"] for r in records} == {"ReLU"}
    assert len(refusals) == 1
    assert refusals[0].startswith("wrong: ")
    assert wrong in refusals[0]


def test_a_norm_with_other_statistics_is_refused():
    def build(channels):
        return nn.Sequential(nn.BatchNorm2d(channels, eps=0.1), DyReLUB(channels))

    records, refusals = measure([Row("wrong", build, reference=NORM_B)])
    assert not records
    assert len(refusals) == 1


@pytest.mark.parametrize("memory_format", FORMATS)
def test_the_usual_formulation_is_the_reference(memory_format):
    reference = op.build_reference(B, 8).double()
    usual = UsualDyReLUB(8).double()
    usual.load_state_dict(reference.state_dict())
    x, grad = op.inputs(Case(SERIES, SHAPE, memory_format), torch.float64, "cpu")
    assert disagreement(outcome(usual, x, grad), outcome(reference, x, grad), 1e-12) is None


@pytest.mark.parametrize(("name", "count"), [("hrnet", 262), ("mobilenetv2", 42)])
def test_cases_are_the_sites_of_the_model(name, count):
    """261 + 1 sites of HRNet are those that the README shows; 35 + 7 of MobileNetV2."""
    cases = sites(name, 2)
    assert sum(case.sites for case in cases) == count
    assert len({case.shape for case in cases}) == len(cases)


def test_a_second_run_replaces_its_own_rows(tmp_path):
    path = tmp_path / "new" / "op.csv"
    write(path, [dict(case="a", ms=1.0), dict(case="b", ms=2.0)], ["case"])
    write(path, [dict(case="c", ms=3.0, more=0), dict(case="a", ms=1 / 3, more=0)], ["case"])
    assert read_csv(path) == [
        dict(case="a", ms="0.3333", more="0"),
        dict(case="b", ms="2", more=""),
        dict(case="c", ms="3", more="0"),
    ]


def test_the_chart_is_drawn(tmp_path):
    records = [record for name in FORMATS for record in measure(UNCOMPILED[:1], name)[0]]
    write(tmp_path / "op.csv", records, op.KEY)
    draw(read_csv(tmp_path / "op.csv"), tmp_path / "op.png")
    assert (tmp_path / "op.png").stat().st_size > 10_000
