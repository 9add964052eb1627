"""In how many of MMPose's configs DyReLU can be placed."""

from collections import Counter, defaultdict
from pathlib import Path

from dyrelu_pose.records.files import read_csv
from dyrelu_pose.records.tables import markdown_table

from .page import RESULTS, link


def coverage(page: Path) -> str:
    """Return a row per folder of MMPose's 2D configs, and why the rest cannot be built."""
    path = RESULTS / "coverage.csv"
    folders = defaultdict(list)
    for row in read_csv(path):
        folders[row["config"].split("/")[0]].append(row)
    everything = [row for rows in folders.values() for row in rows]
    reasons = Counter(row["reason"] for row in everything if row["status"] != "placed")
    lines = [[f"`{name}`", *_counts(rows)] for name, rows in folders.items()]
    lines.append(["all", *_counts(everything)])
    header = ("folder of MMPose", "configs", "placed", "with backbone sites", "with head sites")
    rest = "; ".join(f"{reason} ({count})" for reason, count in reasons.most_common())
    return (
        f"{markdown_table(header, lines)}\n\nWhy a model could not be built: {rest}. All "
        f"configs: {link(page, path)}."
    )


def _counts(rows: list[dict[str, str]]) -> list[str]:
    placed = [row for row in rows if row["status"] == "placed"]
    own = (sum(row[part] != "0" for row in placed) for part in ("backbone", "head"))
    return [str(len(rows)), str(len(placed)), *map(str, own)]
