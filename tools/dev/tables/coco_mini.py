"""The study on COCO-mini: what DyReLU gains over its ReLU6 twin, from the runs of one grid."""

from dyrelu_pose.ablation.grid import load_grid
from dyrelu_pose.ablation.results import FINISHED, by_cell
from dyrelu_pose.ablation.table import format_difference, format_interval, summaries

from .read import NOT_RUN, RESULTS, ROOT, read_csv, table

GRID = ROOT / "configs/ablations/matrix.py"
STUDY = RESULTS / "ablations" / GRID.stem
NAMES = {"none": "ReLU6"}


def coco_mini() -> str:
    """Return the rows of the grid's curves, the ReLU6 twin first, and what they were run with."""
    grid, rows = load_grid(GRID), _rows()
    found = summaries(grid, rows)
    lines = [_line(name, rows, found.get(name), name == grid.baseline) for name in grid.curves]
    header = (
        "backbone | head | params | multiply-adds | COCO-mini AP, mean and std | difference "
        "| 95 % interval | AP50 | AP75 | AR | seeds"
    )
    return f"{table(header, lines)}\n\n{_origin(rows)}"


def tried() -> str:
    """Return what was tried before the recipe was frozen."""
    rows = read_csv(RESULTS / "coco_mini/tried.csv")
    shown = [key for key in rows[0] if key not in ("training data", "versions", "command")]
    return table(" | ".join(shown), [[row[key] for key in shown] for row in rows])


def _rows() -> list[dict]:
    numbers = dict(AP=float, AP50=float, AP75=float, AR=float, params=int, MAdds=int, seconds=float)
    rows = [row for row in read_csv(STUDY / "runs.csv") if row["status"] == FINISHED]
    return [
        row | {key: kind(row[key]) for key, kind in numbers.items()} | {"seed": int(row["seed"])}
        for row in rows
    ]


def _line(name: str, rows: list[dict], summary, baseline: bool) -> list[str]:
    parts = [NAMES.get(part, part) for part in name.split("+")]
    if summary is None:
        return [*parts, "", "", NOT_RUN, *[""] * 6]
    own = next(row for row in rows if row["cell"] == name)
    means = []
    for figure in ("AP50", "AP75", "AR"):
        values = by_cell(rows, figure)[name].values()
        means.append(f"{sum(values) / len(values):.1f}")
    spread = "" if summary.std is None else f" ± {summary.std:.1f}"
    difference = "" if baseline else format_difference(summary.difference)
    interval = "" if baseline else format_interval(summary.interval)
    return [
        *parts,
        *(f"{own[key] / 1e6:.{digits}f}M" for key, digits in (("params", 1), ("MAdds", 0))),
        f"{summary.mean:.1f}{spread}",
        difference,
        interval,
        *means,
        str(summary.seeds),
    ]


def _origin(rows: list[dict]) -> str:
    facts = {
        key: " / ".join(dict.fromkeys(row[key] for row in rows))
        for key in ("epochs", "device", "date")
    }
    hours = sum(row["seconds"] for row in rows) / 3600
    return (
        f"{len(rows)} runs, {facts['epochs']} epochs each, {facts['device']}, {facts['date']}, "
        f"{hours:.1f} hours of runs in all; differences seed by seed, interval of a paired t-test."
    )
