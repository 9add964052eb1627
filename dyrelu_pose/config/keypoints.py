"""Check that the parts of a config mean the same number of keypoints."""

from collections.abc import Sequence

import numpy as np
from mmpose.models.heads.base_head import BaseHead
from torch import nn

from .datasets import KeypointDataset
from .errors import ConfigError

# What heads call the number of keypoints that they predict; the first that one has.
NAMES = ("num_keypoints", "num_joints", "out_channels")


def check_metainfo(dataset: KeypointDataset) -> None:
    """Check that a data set describes each of its keypoints once, and its mirror image.

    Raises:
        ConfigError: There are not as many `sigmas`, or `joint_weights` that are used, as keypoints;
            a sigma is not positive, or a weight is negative; a `swap` is not mutual; or there are
            keys beside `from_file`, which nothing reads.
    """
    key, meta, count = f"{dataset.key}.metainfo", dataset.meta, dataset.meta["num_keypoints"]
    lists = {"sigmas": np.size(meta["sigmas"])}
    if any(transform.get("use_dataset_keypoint_weights") for transform in dataset.transforms):
        lists["joint_weights"] = np.size(meta["dataset_keypoint_weights"])
    for name, length in lists.items():
        if length not in (0, count):  # MMPose leaves out what a data set has no use for
            raise ConfigError(f"{key} of the config has {length} {name} for {count} keypoints")
    if not np.all(np.asarray(meta["sigmas"]) > 0):
        raise ConfigError(f"{key} of the config has sigmas that are not positive")
    weights = np.asarray(meta["dataset_keypoint_weights"])
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ConfigError(f"{key} of the config has joint_weights that are negative or not numbers")
    described = dataset.config.get("metainfo") or {}
    if "from_file" in described and (unread := described.keys() - {"from_file"}):
        raise ConfigError(
            f"{key} of the config has {', '.join(sorted(unread))} beside from_file, and only that "
            "is read: change the file, or leave from_file out"
        )
    flipped = meta["flip_indices"]
    if "keypoint_info" not in described:
        return  # a description that MMPose ships, as it is
    for number, other in enumerate(flipped):
        if flipped[other] != number:
            names = meta["keypoint_id2name"]
            raise ConfigError(
                f"{key}.keypoint_info of the config swaps {names[number]} with {names[other]}, but "
                f"{names[other]} with {names[flipped[other]]}: a flipped image swaps pairs"
            )


def check_order(datasets: Sequence[KeypointDataset]) -> None:
    """Check that keypoints of the same names are in the same order everywhere.

    Data sets whose pipeline converts their keypoints are left alone.

    Raises:
        ConfigError: Names two data sets, and the first keypoint in which they differ.
    """
    as_they_are = [
        dataset
        for dataset in datasets
        if dataset.keypoints is not None
        and not any("num_keypoints" in transform for transform in dataset.transforms)
    ]
    for dataset in as_they_are[1:]:
        first = as_they_are[0]
        names, others = (
            [name for _, name in sorted(of.meta["keypoint_id2name"].items())]
            for of in (first, dataset)
        )
        if names == others or {*names} != {*others}:
            continue
        number = next(i for i, name in enumerate(names) if name != others[i])
        raise ConfigError(
            f"keypoint {number} of {first.key} of the config is {names[number]}, and that of "
            f"{dataset.key} is {others[number]}: what is learnt as one would be taken for the "
            "other; bring their metainfo into one order, or convert one by KeypointConverter"
        )


def check_head(head: nn.Module | None, datasets: Sequence[KeypointDataset]) -> None:
    """Check that a head and its decoder have as many keypoints as the data sets.

    Args:
        head: The head.
        datasets: What it is trained on or evaluated with.

    Raises:
        ConfigError: Names the head's key, the data set's, and both numbers.
    """
    key = "model.head"
    if inner := getattr(head, "pose_head", None):  # VisPredictHead, around another
        key, head = f"{key}.pose_cfg", inner
    name = next((name for name in _names(head) if isinstance(getattr(head, name, None), int)), None)
    if name is None:
        return
    value, decoder = getattr(head, name), getattr(head, "decoder", None)
    # by UDP's combined targets, a heatmap and two offsets each
    of_each = 3 if getattr(decoder, "heatmap_type", None) == "combined" else 1
    said = f"{key}.{name} of the config is {value}" + ", three of each keypoint" * (of_each == 3)
    for dataset in datasets:
        if dataset.keypoints not in (None, value / of_each):
            raise ConfigError(
                f"{said}, and {dataset.key} has {dataset.keypoints} keypoints, by its metainfo and "
                "pipeline: they have to be the same"
            )
    order = getattr(decoder, "decode_keypoint_order", None)
    decoded = len(order) if order else getattr(decoder, "num_keypoints", None)
    if decoded not in (None, value / of_each):
        raise ConfigError(f"{said}, and its decoder has {decoded} keypoints: make them the same")


def _names(head: nn.Module | None) -> Sequence[str]:
    """Return what may hold the number of keypoints of a head."""
    # in a head that is derived from none of MMPose's, `out_channels` may be anything
    derived = any(
        base.__module__.startswith("mmpose.") and base not in BaseHead.__mro__
        for base in type(head).__mro__
    )
    return NAMES if derived else NAMES[:2]
