"""What was done to break the software, how often, and what was lost."""

import json

from .read import RESULTS, table


def reliability() -> str:
    """Return a row per record in results/reliability."""
    records = [json.loads(path.read_text()) for path in (RESULTS / "reliability").glob("*.json")]
    rows = [
        [record["tried"], f"{record['times']:,}", record["lost"], f"`{record['command']}`"]
        for record in sorted(records, key=lambda record: record["command"])
    ]
    return table("tried | times | lost | command", rows)
