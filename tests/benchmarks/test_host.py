"""benchmarks/host.py: what it writes, and how many launches and operations a site takes."""

import pytest

pytest.importorskip("triton", reason="the Triton backend needs the package triton")
import host
from launches import planned
from rows import NORM_B, B, C

from dyrelu_pose.records.files import read_csv

B_, C_, FUSED = f"{B} triton", f"{C} triton", f"{NORM_B} fuse_norm, triton"


@pytest.mark.parametrize(
    ("name", "forward", "both"),
    [(B_, (3, 2), (6, 8)), (C_, (3, 3), (7, 10)), (FUSED, (4, 2), (8, 10))],
)
def test_a_site_takes_few_launches_and_no_operation_but_allocations(name, forward, both):
    for what, (launches, allocations) in zip(host.WHATS, (forward, both), strict=True):
        with planned():
            found = host.counts(host.Site(name), what)
        assert found == dict(launches=launches, aten=0, allocations=allocations)


def test_operations_of_other_rows_are_counted():
    relu = host.Site("ReLU")
    assert host.counts(relu, "forward") == dict(launches=0, aten=1, allocations=0)
    assert host.counts(relu, "forward + backward")["aten"] == 2


def test_every_row_is_written(tmp_path, monkeypatch):
    def pass_over(site):
        """Leave out what compiles the kernels."""
        return (pair for pair in of(site) if pair[0] in host.WHATS)

    of = host.of
    monkeypatch.setattr(host, "of", pass_over)
    monkeypatch.setattr(host, "NAMES", ("ReLU", B_))
    host.main(["--repeats", "1", "--out", str(tmp_path / "host.csv")])
    rows = read_csv(tmp_path / "host.csv")
    assert [(r["row"], r["what"]) for r in rows] == [
        (name, what) for name in ("ReLU", B_) for what in host.WHATS
    ]
    for r in rows:
        assert 0 < float(r["p20_us"]) <= float(r["host_us"]) <= float(r["p80_us"])
        for column in ("launches", "aten", "allocations", "device", "versions", "command", "date"):
            assert r[column] != "", column
