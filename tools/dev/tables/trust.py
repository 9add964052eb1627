"""What the software was put through, what it is built on, and which versions pass its tests."""

import json
from pathlib import Path

from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import RESULTS, link, source


def reliability(page: Path) -> str:
    """Return a row per record in results/reliability: what was done to break the software."""
    paths = (RESULTS / "reliability").glob("*.json")
    records = {path: json.loads(path.read_bytes()) for path in paths}
    lines = [
        [
            record["tried"],
            f"{record['times']:,}",
            record["lost"],
            f"`{record['command']}`",
            link(page, path),
        ]
        for path, record in sorted(records.items(), key=lambda item: item[1]["command"])
    ]
    return markdown_table(("test", "times", "lost", "command", "record"), lines)


def safeguards(page: Path) -> str:
    """Return what the check of every loss costs, and the step that it is in."""
    path = RESULTS / "bench/safeguards.json"
    found = json.loads(path.read_bytes())
    return (
        f"Checking the loss took {found['check_microseconds']:.0f} µs of a training step of "
        f"{found['step_milliseconds']:.0f} ms ({found['percent']:.3f} %, median of "
        f"{found['steps']} steps) of the demo's small model, measured by `{found['command']}`. "
        f"{source(page, path, found)}"
    )


def dependencies(page: Path) -> str:
    """Return a row per locked package and version."""
    path = RESULTS / "dependencies.csv"
    lines = [
        [
            row["package"],
            row["version"],
            row["released"],
            row["licence"],
            f"`{row['asked_for_by']}`" if row["asked_for_by"].endswith(".txt") else "",
            f"`{row['where']}`" if row["where"] else "",
            row["hash"],
        ]
        for row in read_csv(path)
    ]
    header = ("package", "version", "released", "licence", "required by", "only if", "hash")
    return f"{markdown_table(header, lines)}\n\n{link(page, path)}, written by `make lock`."


def compatibility(page: Path) -> str:
    """Return a row per combination of versions."""
    path = RESULTS / "compatibility.csv"
    shown = ("case", "python", "torch", "numpy", "mmengine", "outcome", "date")
    lines = [[row[key] for key in shown] for row in read_csv(path)]
    return f"{markdown_table(shown, lines)}\n\n{link(page, path)}, written by `make matrix`."
