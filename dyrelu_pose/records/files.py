"""Files that keep what was measured: JSON and CSV that are the old or the new, never half."""

import csv
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside its place and move it there, so that a reader sees the old or the new.

    Args:
        path: The file; its folder is made.
        write: Writes to the path that it is given, which ends like `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: Path, content: object) -> None:
    """Write a record for people and programs: one value a line, a newline at the end."""
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def write_csv(path: Path, rows: Sequence[dict], columns: Sequence[str] | None = None) -> None:
    """Write rows below one line of column names.

    Args:
        path: The file; its folder is made.
        rows: Values by column; a dict, such as versions, is written as `name value, ...`.
        columns: Their order. Default: as they first occur.
    """
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _cell(row[name]) for name in row} for row in rows)

    write_atomically(path, write)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    return value
