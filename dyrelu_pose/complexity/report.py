"""The table of complexities that a person reads, and the file that keeps them."""

import csv
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from dyrelu_pose.records.origin import revision, versions

from .measure import Complexity

HEADER = ("model", "input (HxW)", "params", "MAdds", "kept per image")
FIGURES = ("params", "madds", "activations")


@dataclass(frozen=True)
class Row:
    """One model.

    Attributes:
        model: What to call it.
        input_size: Width and height of its input in pixels (W, H).
        complexity: What was measured.
        baseline: The row that it is compared with, or None.
    """

    model: str
    input_size: tuple[int, int]
    complexity: Complexity
    baseline: "Row | None" = None

    def differences(self) -> dict[str, float]:
        """Return by how much each figure is above the baseline's, in per cent."""
        ours, theirs = self.complexity, self.baseline.complexity
        return {name: 100 * (getattr(ours, name) / getattr(theirs, name) - 1) for name in FIGURES}


def format_rows(rows: Sequence[Row]) -> str:
    """Print rows as a table of aligned plain-text columns: millions, and MiB in float32."""
    cells = [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(HEADER, *cells, strict=True)]
    return "\n".join(_line(line, widths) for line in (HEADER, ["-" * w for w in widths], *cells))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows to a CSV file; memory is in bytes."""
    write_records(path, [_record(row) for row in rows])


def write_records(path: Path, records: Sequence[dict]) -> None:
    """Write records with the same keys, each with where it comes from, to a CSV file."""
    origin = dict(
        versions=", ".join(f"{name} {number}" for name, number in versions().items()),
        command=shlex.join(["python", *sys.argv]),
        revision=revision(),
        date=datetime.now(timezone.utc).date().isoformat(),
    )
    records = [record | origin for record in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, records[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def _cells(row: Row) -> tuple[str, ...]:
    measured = row.complexity
    values = (
        f"{measured.params / 1e6:.2f}M",
        f"{measured.madds / 1e6:.1f}M",
        f"{measured.activations / 2**20:.1f} MiB",
    )
    if row.baseline is not None:
        more = row.differences().values()
        values = tuple(f"{v} ({d:+.1f} %)" for v, d in zip(values, more, strict=True))
    return row.model, _size(row), *values


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _record(row: Row) -> dict[str, object]:
    more = row.differences() if row.baseline else dict.fromkeys(FIGURES, "")
    return dict(
        model=row.model,
        input=_size(row),
        **asdict(row.complexity),
        baseline=row.baseline.model if row.baseline else "",
        **{f"{name}_more_percent": d if d == "" else f"{d:.2f}" for name, d in more.items()},
    )


def _size(row: Row) -> str:
    width, height = row.input_size
    return f"{height}x{width}"
