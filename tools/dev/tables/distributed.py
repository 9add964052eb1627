"""How far training by several processes is from training by one."""

import json

from .read import RESULTS, table


def distributed() -> str:
    """Return a row per number of processes."""
    record = json.loads((RESULTS / "reliability/distributed.json").read_text())
    rows = [
        [
            name,
            f"{found['errors']['step']:.0e}",
            f"{found['errors']['epoch']:.0e}",
            f"{found['errors']['scores']:.0e}",
            f"{found['persons_evaluated']}",
        ]
        for name, found in record.items()
        if isinstance(found, dict) and "errors" in found
    ]
    made = table(
        "trained by | gradient of a step | weights after an epoch | scores | persons", rows
    )
    return (
        f"{made}\n\nLargest differences from one process: of gradient and weights, in units of the "
        "change that the epoch makes to the weights; of the keypoints' scores, of the largest. "
        f"COCO-mini AP of the published model: {_aps(record)}. {record['device']}, "
        f"{record['date']}."
    )


def _aps(record: dict) -> str:
    for found in record.values():
        if isinstance(found, dict) and "coco_mini_ap" in found:
            aps = found["coco_mini_ap"].items()
            return ", ".join(f"{100 * ap:.2f} by {processes}" for processes, ap in aps)
    return "not run"
