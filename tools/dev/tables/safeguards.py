"""What the check of every loss costs."""

import json

from .read import RESULTS


def safeguards() -> str:
    """Return the time of the check, and of the step that it is in."""
    found = json.loads((RESULTS / "bench/safeguards.json").read_text())
    return (
        f"Looking at the loss took {found['check_microseconds']:.0f} µs in a step of "
        f"{found['step_milliseconds']:.0f} ms ({found['percent']:.3f} %, median of "
        f"{found['steps']}), in the demo's small model. {found['device']}, {found['date']}: "
        f"`{found['command']}`."
    )
