"""The table, the CSV file and the chart of given runs."""

import csv

import pytest
from PIL import Image

from dyrelu_pose.ablation import curves
from dyrelu_pose.ablation.chart import draw_chart
from dyrelu_pose.ablation.curves import draw_curves
from dyrelu_pose.ablation.grid import Cell, Grid
from dyrelu_pose.ablation.results import COLUMNS, FAILED, FINISHED
from dyrelu_pose.ablation.table import format_table
from dyrelu_pose.records.files import write_csv

MATRIX = ("none+none", "none+B", "A+none", "A+B")


def grid(*names, rows=(), columns=(), other_baselines=()):
    cells = {name: Cell(name, None) for name in names}
    return Grid("g", cells, names[0], rows, columns, ("backbone", "head"), names, other_baselines)


def row(cell, seed, ap):
    figures = dict(AP=ap, AP50=0.5, AP75=0.25, AR=0.375, params=1_500_000, MAdds=28_860_000)
    origin = dict(epochs=3, revision="abc", device="CPU", date="2026-01-01", command="python x")
    return dict.fromkeys(COLUMNS, "") | dict(
        cell=cell, seed=seed, data="synthetic", status=FINISHED, **figures, **origin
    )


def failed(cell, seed):
    row = dict(cell=cell, seed=seed, status=FAILED, problem="exit status 1")
    return dict.fromkeys(COLUMNS, "") | row


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_table_by_hand():
    better = (row("b", seed, ap) for seed, ap in enumerate((0.31, 0.32, 0.33)))
    rows = [*(row("a", seed, 0.30) for seed in range(3)), *better, failed("c", 0)]
    table = format_table(grid("a", "b", "c", "d"), rows)
    header, _, *lines = table.split("\n\n")[0].splitlines()
    assert cells(header)[:5] == [
        "cell", "synthetic AP", "std", "difference", "95 % interval",
    ]  # fmt: skip
    rest = ["50.0", "25.0", "37.5", "1.50M", "28.86M", "3"]
    # b: differences 1, 2, 3 as in test_statistics.py
    assert [cells(line) for line in lines] == [
        ["a (baseline)", "30.0", "0.00", "", "", "", *rest],
        ["b", "32.0", "1.00", "+2.0", "-0.5 to +4.5", "0.074", *rest],
        ["c", "failed", *[""] * 10],
        ["d", "not run", *[""] * 10],
    ]
    assert "6 runs finished, 1 failed. 3 epochs, CPU, revision abc, 2026-01-01: `python x`" in table


def test_a_matrix_has_a_table_of_its_own():
    rows = [row("none+none", 0, 0.3), row("A+B", 0, 0.25)]
    table = format_table(grid(*MATRIX, rows=("none", "A"), columns=("none", "B")), rows)
    header, _, *lines = table.split("\n\n")[1].splitlines()
    assert cells(header) == ["synthetic AP, backbone \\ head", "none", "B"]
    assert [cells(line) for line in lines] == [
        ["none", "30.0", "not run"],
        ["A", "not run", "25.0 (-5.0)"],
    ]


def test_losses_have_a_table_where_they_are_measured():
    losses = dict(loss=4.0, NLL=4.25), dict(loss=4.5, NLL=4.5)
    rows = [row("a", 0, 0.3), *(row("b", seed, 0.3) | own for seed, own in enumerate(losses))]
    _, _, line = format_table(grid("a", "b"), rows).split("\n\n")[1].splitlines()
    assert cells(line) == ["b", "4.250", "4.375", "", "", "4.250, 4.500", ""]
    assert "NLL" not in format_table(grid("a", "b"), rows[:1])


def test_losses_are_compared_seed_by_seed_beside_the_time_of_a_step():
    def measured(cell, seed, nll, seconds):
        return row(cell, seed, 0.3) | {"loss": 4.0, "NLL": nll, "step_seconds": seconds}

    rows = [measured("a", seed, 4 + seed, 0.1) for seed in range(3)]
    rows += [measured("b", seed, 3.9 + 1.1 * seed, 0.2 + 0.1 * seed) for seed in range(3)]
    _, _, relu, other = format_table(grid("a", "b"), rows).split("\n\n")[1].splitlines()
    assert cells(relu)[2:] == ["5.000", "", "", "4.000, 5.000, 6.000", "100"]
    # -0.1, 0, 0.1: their deviation 0.1 over sqrt(3), times 4.303
    expected = ["5.000", "+0.000", "-0.248 to +0.248", "3.900, 5.000, 6.100", "300"]
    assert cells(other)[2:] == expected


def test_other_baselines_have_tables_of_their_own():
    rows = [row("a", seed, 0.30) for seed in range(3)]
    rows += [row("b", seed, ap) for seed, ap in enumerate((0.31, 0.32, 0.33))]
    table = format_table(grid("a", "b", "c", other_baselines=("b",)), rows)
    header, _, line = table.split("\n\n")[1].splitlines()
    assert cells(header)[1] == "AP, difference to b"
    assert cells(line) == ["a", "-2.0", "-4.5 to +0.5", "0.074"]
    assert "difference to c" not in format_table(grid("a", "b", "c", other_baselines=("c",)), rows)


def test_without_the_baseline_there_are_no_differences():
    assert cells(format_table(grid("a", "b"), [row("b", 0, 0.2)]).splitlines()[3])[:4] == [
        "b", "20.0", "", "",
    ]  # fmt: skip


def test_csv_reads_back(tmp_path):
    write_csv(tmp_path / "new/runs.csv", [row("a", 0, 0.125), failed("b", 1)], COLUMNS)
    with (tmp_path / "new/runs.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (first["AP"], first["data"], first["MAdds"]) == ("0.125", "synthetic", "28860000")
    assert (second["status"], second["AP"], second["problem"]) == ("failed", "", "exit status 1")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["runs.csv"]  # nothing beside


@pytest.mark.parametrize(
    ("grid", "rows"),
    [
        (grid("a", "b"), [row("a", 0, 0.3)]),
        (grid("a", "b"), [row("b", 0, 0.3), row("b", 1, 0.2)]),
        (grid("a", "b"), [row("a", 0, 0.0), row("b", 0, 0.0), failed("b", 1)]),
        (grid(*MATRIX, rows=("none", "A"), columns=("none", "B")), [row("A+B", 0, 0.3)]),
        (grid(*MATRIX, rows=("none", "A"), columns=("none", "B")),
         [row(name, seed, 0.3 + seed / 100) for name in MATRIX for seed in range(3)]),
    ],
    ids=["baseline alone", "no baseline", "zeros", "matrix without baseline", "matrix"],
)  # fmt: skip
def test_chart_is_a_picture(tmp_path, grid, rows):
    draw_chart(grid, rows, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.size[0] == (1950 if grid.rows else 1200)  # 13 or 8 inches at 150 dpi


@pytest.mark.parametrize("seeds", [1, 3])
def test_curves_are_a_picture(tmp_path, seeds):
    records = [
        dict(
            cell=name,
            data="synthetic",
            # a run that was validated more often, and one that was not at all
            curve=dict(loss=[[0.5, 2.0], [1, 1.0 + seed]], ap=[[1, 0.1]] * seed),
        )
        for name in ("a", "b")
        for seed in range(seeds)
    ]
    draw_curves(grid("a", "b", "c"), records, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (1650, 630)


def test_curves_over_minutes_and_of_nll_have_panels(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(curves, "_draw", lambda axes, curve, *rest: drawn.append((curve, *rest)))
    curve = dict(loss=[[1, 2.0]], ap=[[1, 0.1]], nll=[[1, 4.0]])
    records = [
        dict(cell="a", data="synthetic", epoch_minutes=minutes, curve=curve) for minutes in (1, 2)
    ]
    draw_curves(grid("a"), records, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (2475, 1260)
    assert [(pace, scale) for _, pace, scale, *_ in drawn] == [
        (1, 1), (1, 100), (1, 1), (1.5, 1), (1.5, 100), (1.5, 1),
    ]  # fmt: skip
    assert drawn[-1][0] == [curve["nll"]] * 2
