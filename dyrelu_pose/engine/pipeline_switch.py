"""What MMPose's configs name of mmdet, where mmdet does not import, as it does not beside mmcv 2.2.

110 configs of MMPose 1.3.2, RTMPose's above all, train with `mmdet.YOLOXHSVRandomAug`, and 67 of
them with `mmdet.PipelineSwitchHook` too. MMPose has the first itself; the second is here. They give
their backbone mmdet's scope as well, though it is MMPose's own.
"""

import importlib
from typing import Any

from mmengine.dataset import Compose
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import HOOKS, TRANSFORMS, Registry
from mmengine.runner import Runner
from mmpose.datasets.transforms import YOLOXHSVRandomAug
from mmpose.registry import MODELS


class PipelineSwitchHook(Hook):
    """Change the pipeline of the training data from an epoch on, such as to milder augmentation.

    A resumed training changes it at its start, if that epoch is over.

    Args:
        switch_epoch: Number of epochs before the change.
        switch_pipeline: Transforms from then on.
    """

    def __init__(self, switch_epoch: int, switch_pipeline: list[dict]) -> None:
        self.switch_epoch = switch_epoch
        self.pipeline = Compose(switch_pipeline)
        self._switched = False

    def before_train_epoch(self, runner: Runner) -> None:
        """Change it, if its epoch has come."""
        if self._switched or runner.epoch < self.switch_epoch:
            return
        print_log(f"the training pipeline changes before epoch {runner.epoch + 1}", "current")
        loader = runner.train_dataloader
        change_pipeline(loader.dataset, self.pipeline)
        loader._iterator = None  # persistent workers have copies of the data set: new ones start
        self._switched = True


def apply() -> None:
    """Register the two by mmdet's names, and find MMPose's models by them, unless mmdet imports."""
    try:
        importlib.import_module("mmdet")
    except ImportError:  # of a broken one as well: see `compat.mmpose`
        hooks, transforms, _models = (
            Registry(parent.name, parent=parent, scope="mmdet", locations=[__name__])
            for parent in (HOOKS, TRANSFORMS, MODELS)
        )
        hooks.register_module(module=PipelineSwitchHook)
        transforms.register_module(module=YOLOXHSVRandomAug)


def change_pipeline(dataset: Any, pipeline: Compose) -> None:
    """Change the pipeline of a data set, or of those in it if it has none itself."""
    if hasattr(dataset, "pipeline"):
        dataset.pipeline = pipeline
    else:
        for part in getattr(dataset, "datasets", None) or [dataset.dataset]:
            change_pipeline(part, pipeline)
