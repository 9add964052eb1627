"""The table of complexities that a person reads, and the file that keeps them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dyrelu_pose.records.files import write_csv
from dyrelu_pose.records.origin import origin
from dyrelu_pose.records.tables import text_table

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
        """Return by how much each figure is above the baseline's, in per cent.

        Raises:
            ValueError: There is no baseline.
        """
        if self.baseline is None:
            raise ValueError(f"{self.model} has no baseline to be compared with")
        ours, theirs = self.complexity, self.baseline.complexity
        return {name: 100 * (getattr(ours, name) / getattr(theirs, name) - 1) for name in FIGURES}


def format_rows(rows: Sequence[Row]) -> str:
    """Print rows as a table of aligned plain-text columns: millions, and MiB in float32."""
    return text_table(HEADER, [_cells(row) for row in rows])


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows to a CSV file; memory is in bytes."""
    write_records(path, [_record(row) for row in rows])


def write_records(path: Path, records: Sequence[dict]) -> None:
    """Write records with the same keys, each with where it comes from, to a CSV file."""
    source = origin()
    write_csv(path, [record | source for record in records])


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
