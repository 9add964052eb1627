"""Where the result files are, and how tables read them."""

import csv
from pathlib import Path

from dyrelu_pose.paths import ROOT

RESULTS = ROOT / "results"
NOT_RUN = "not run"


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def table(header: str, rows: list[list[str]]) -> str:
    """Return a markdown table; ``header`` is its first line without the outer bars."""
    lines = [f"| {header} |", "| --- " * (header.count("|") + 1) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
