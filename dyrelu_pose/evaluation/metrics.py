"""The metrics that an evaluation left in a file."""

import json
from pathlib import Path

from dyrelu_pose.errors import UserError


def read_metrics(path: Path) -> dict[str, float]:
    """Return the metrics, from 0 to 1, that `tools/test.py --out` wrote to a JSON file, by name.

    Raises:
        UserError: The file cannot be read, or holds no COCO AP.
    """
    try:
        found = json.loads(path.read_text())
        metrics = {name: found[name] for name in found if name.startswith("coco/")}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} holds no metrics of tools/test.py --out: {error}") from error
    if "coco/AP" not in metrics:
        raise UserError(f"{path} holds no coco/AP: name what tools/test.py --out wrote")
    return metrics
