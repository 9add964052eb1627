"""The metrics of an evaluation as a file, with where they come from."""

import json
from pathlib import Path

from mmengine.fileio import dump
from mmengine.hooks import Hook
from mmengine.runner import Runner

from dyrelu_pose.errors import UserError
from dyrelu_pose.records.origin import origin


class SaveMetricsHook(Hook):
    """Write the metrics of a test run to a file, one key each, and their origin beside them.

    `origin` holds the command, the device, the versions, the revision of this project and the date.

    Args:
        out: JSON or YAML file, by its suffix; its folder is made.
    """

    priority = "LOWEST"

    def __init__(self, out: Path) -> None:
        self.out = out

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Write `metrics` on the main process."""
        if metrics is not None and runner.rank == 0:
            dump(dict(metrics, origin=origin()), self.out)


def read_metrics(path: Path) -> dict[str, float]:
    """Return the metrics, from 0 to 1, that `tools/test.py --out` wrote to a JSON file, by name.

    Raises:
        UserError: The file cannot be read, or holds no COCO AP.
    """
    try:
        found = json.loads(path.read_bytes())
        metrics = {name: found[name] for name in found if name.startswith("coco/")}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} holds no metrics of tools/test.py --out: {error}") from error
    if "coco/AP" not in metrics:
        raise UserError(f"{path} holds no coco/AP: name what tools/test.py --out wrote")
    return metrics
