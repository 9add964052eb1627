"""Benchmark results as CSV: one row per measurement, each with where it comes from."""

from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console

from dyrelu_pose.records.files import cells, read_csv, write_csv
from dyrelu_pose.records.origin import origin, processor

FIGURES = 4  # significant ones of a number in a file
WIDTH = 130  # characters


def origin_on(device: str, seed: int, *packages: str) -> dict[str, object]:
    """Return the columns that say where a measurement comes from.

    Args:
        device: `'cpu'` or `'cuda'`.
        seed: Of weights, inputs and orders.
        packages: Whose versions matter beside the usual ones.
    """
    name = torch.cuda.get_device_name() if device == "cuda" else processor()
    used = dict(device=name, threads=torch.get_num_threads(), seed=seed)
    return origin(*packages) | used


def write(path: Path, rows: Sequence[dict], key: Sequence[str]) -> None:
    """Write rows to a CSV file.

    Rows that the file has already stay there, but for those that have a new row's values in the
    `key` columns: it takes their place.
    """
    kept = {tuple(row[column] for column in key): row for row in read_csv(path)}
    for row in rows:
        text = cells(row, FIGURES)
        kept[tuple(text[column] for column in key)] = text
    write_csv(path, list(kept.values()))


def console() -> Console:
    """Return the terminal, or where there is none a log that is wide enough for tables."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=WIDTH)
