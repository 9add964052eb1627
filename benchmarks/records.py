"""Benchmark results as CSV: one row per measurement, each with where it comes from."""

import csv
import shlex
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import torch
from rich.console import Console

from dyrelu_pose.records.origin import processor, revision, versions

FIGURES = 4  # significant ones of a number in a file
WIDTH = 130  # characters


def origin(device: str, seed: int, *packages: str) -> dict[str, object]:
    """Return the columns that say where a measurement comes from.

    Args:
        device: `'cpu'` or `'cuda'`.
        seed: Of weights, inputs and orders.
        packages: Whose versions matter beside the usual ones.
    """
    return dict(
        device=torch.cuda.get_device_name() if device == "cuda" else processor(),
        threads=torch.get_num_threads(),
        versions=", ".join(f"{name} {number}" for name, number in versions(*packages).items()),
        seed=seed,
        command=shlex.join(["python", *sys.argv]),
        revision=revision(),
        date=datetime.now(timezone.utc).date().isoformat(),
    )


def write(path: Path, rows: Sequence[dict], key: Sequence[str]) -> None:
    """Write rows to a CSV file.

    Rows that the file has already stay there, but for those that have a new row's values in the
    `key` columns: it takes their place.
    """
    kept = {tuple(row[column] for column in key): row for row in read(path)}
    for row in rows:
        cells = {name: _cell(value) for name, value in row.items()}
        kept[tuple(cells[column] for column in key)] = cells
    columns = dict.fromkeys(column for row in kept.values() for column in row)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept.values())


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def console() -> Console:
    """Return the terminal, or where there is none a log that is wide enough for tables."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=WIDTH)


def _cell(value: object) -> str:
    return f"{value:.{FIGURES}g}" if isinstance(value, float) else str(value)
