"""The metrics of an evaluation as a file, with where they come from."""

from pathlib import Path

from mmengine.fileio import dump
from mmengine.hooks import Hook
from mmengine.runner import Runner

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
