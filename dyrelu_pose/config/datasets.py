"""The keypoint data sets of a config, which may be inside of others, and what they describe."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import isclass
from os.path import join

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS, TRANSFORMS

from dyrelu_pose.errors import described

from .descriptions import check_description
from .errors import ConfigError
from .parts import KNOWN, data_sets, registered
from .quiet import quietly


@dataclass(frozen=True)
class KeypointDataset:
    """A data set of COCO's keypoint format in a config.

    Attributes:
        key: Where it is in the config.
        config: What is there.
        transforms: Configs of its pipeline, then of the pipelines of the data sets around it.
        meta: Facts about its keypoints, as MMPose reads them.
    """

    key: str
    config: dict
    transforms: Sequence[dict]
    meta: dict

    @property
    def ann_file(self) -> str:
        """Path of its annotations."""
        return join(self.config.get("data_root") or "", self.config.get("ann_file") or "")

    @property
    def keypoints(self) -> int | None:
        """Number of keypoints that come out of the pipeline; None if that cannot be known."""
        count = self.meta["num_keypoints"]
        for transform in self.transforms:
            kind = registered(TRANSFORMS, transform)
            name = getattr(kind, "__module__", None) or str(transform.get("type"))
            if "transforms" in transform or name.partition(".")[0] not in KNOWN:
                return None
            count = transform.get("num_keypoints", count)  # KeypointConverter
        return count


def keypoint_datasets(cfg: Config, split: str) -> list[KeypointDataset]:
    """List the keypoint data sets of a split, 'train', 'val' or 'test'.

    Raises:
        ConfigError: A description of keypoints cannot be read.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    found = []
    for key, config, transforms in data_sets(cfg, split):
        kind = registered(DATASETS, config)
        if isclass(kind) and issubclass(kind, BaseCocoStyleDataset):
            found.append(KeypointDataset(key, config, transforms, _meta(config, key)))
    return found


@quietly()
def _meta(dataset: dict, key: str) -> dict:
    metainfo = dataset.get("metainfo") or {}
    if metainfo and "from_file" not in metainfo:
        check_description(metainfo, f"{key}.metainfo")
    unread = copy.deepcopy({**dataset, "lazy_init": True, "pipeline": ()})
    try:
        return DATASETS.build(unread).metainfo
    except Exception as error:  # the data set's own code
        raise ConfigError(f"{key} of the config cannot be built: {described(error)}") from error
