"""What the runs of a grid came to: one row each, as the CSV file has them."""

import json
from collections.abc import Iterable
from pathlib import Path

from .runs import FIGURES, NLL, RECORDS, Run

FINISHED, FAILED = "finished", "failed"
COLUMNS = (
    *("cell", "seed", "data", *FIGURES, NLL, "loss", "params", "MAdds", "epochs", "seconds"),
    *("step_seconds", "epoch_minutes"),
    *("status", "problem", "revision", "device", "versions", "command", "date"),
)


def rows_of(runs: Iterable[Run], failures: dict[str, str]) -> list[dict[str, object]]:
    """Return the rows of the runs that have ended; figures are 0 to 1, failed runs have none.

    Args:
        runs: Runs of a grid, ended or not.
        failures: What went wrong, by the name of the run.
    """
    rows = []
    for run in runs:
        if record := run.record():
            rows.append(_row(record))
        elif run.name in failures:
            row = dict.fromkeys(COLUMNS, "")
            ended = dict(cell=run.cell, seed=run.seed, status=FAILED, problem=failures[run.name])
            rows.append(row | ended)
    return rows


def recorded_rows(folder: Path) -> list[dict[str, object]]:
    """Return the rows of the finished runs in a folder of results, such as results/ablations/k."""
    paths = sorted((folder / RECORDS).glob("*.json"))
    return [_row(json.loads(path.read_bytes())) for path in paths]


def _row(record: dict) -> dict[str, object]:
    return {column: record.get(column, "") for column in COLUMNS}


def by_cell(rows: Iterable[dict], figure: str, scale: float = 100) -> dict[str, dict[int, float]]:
    """Return a figure of the finished runs that have it: cell -> seed -> value.

    Args:
        rows: Rows of `rows_of`.
        figure: Column, such as `'AP'`.
        scale: What to multiply by: in per cent, unless told.
    """
    values: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["status"] == FINISHED and row[figure] != "":
            values.setdefault(row["cell"], {})[row["seed"]] = scale * row[figure]
    return values
