"""What is installed, and which versions the tests pass with."""

from .read import RESULTS, read_csv, table


def dependencies() -> str:
    """Return a row per locked package and version."""
    rows = read_csv(RESULTS / "dependencies.csv")
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
        for row in rows
    ]
    header = "package | version | released | licence | asked for by | only where | hash"
    return table(header, lines)


def compatibility() -> str:
    """Return a row per combination of versions."""
    rows = read_csv(RESULTS / "compatibility.csv")
    shown = ("case", "python", "torch", "numpy", "mmengine", "outcome", "date")
    return table(" | ".join(shown), [[row[key] for key in shown] for row in rows])
