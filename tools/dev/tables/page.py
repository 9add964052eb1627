"""Where the result files are, and how a page names the one that a table is made from."""

import os
from collections.abc import Iterable
from pathlib import Path

from dyrelu_pose.paths import ROOT

RESULTS = ROOT / "results"
NOT_RUN = "not run"


def link(page: Path, target: Path, text: str = "") -> str:
    """Return a link from a page to a file of this project, named as the file is by default."""
    relative = Path(os.path.relpath(target, page.parent)).as_posix()
    return f"[{text or target.name}]({relative})"


def source(page: Path, path: Path, record: dict) -> str:
    """Return the sentence below a table: its record, the device it was measured on, and when."""
    return f"{link(page, path)}: {device(record)}, {record['date']}."


def device(record: dict) -> str:
    """Return the device of a record, its threads included."""
    return record["device"].replace("1 thread(s)", "1 thread").replace("thread(s)", "threads")


def devices(rows: Iterable[dict]) -> str:
    """Return the different devices of rows."""
    return " / ".join(dict.fromkeys(map(device, rows)))


def values(rows: Iterable[dict], key: str) -> str:
    """Return the different values of a column, in the order of its rows."""
    return " / ".join(dict.fromkeys(str(row[key]) for row in rows))


def threads(number: int | str) -> str:
    """Return a number of threads in words."""
    return "1 thread" if str(number) == "1" else f"{number} threads"
