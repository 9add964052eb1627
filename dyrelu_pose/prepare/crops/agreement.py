"""How far the samples of two data sets of the same persons differ at the input of the network."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from mmengine.config import Config
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS


@dataclass(frozen=True)
class Agreement:
    """Differences of samples under the same augmentation.

    Args:
        samples: Number of samples compared.
        keypoints_max: Largest distance between two labelled keypoints, pixels of the input.
        keypoints_mean: Mean distance of labelled keypoints, pixels of the input.
        image_mean: Mean absolute difference of the images, levels of 0 to 255.
    """

    samples: int
    keypoints_max: float
    keypoints_mean: float
    image_mean: float


def build_set(dataset: dict, **changes) -> BaseCocoStyleDataset:
    """Build a config's data set, with changes, so that its samples tell their keypoints."""
    dataset = Config(dict(dataset)).to_dict() | changes
    dataset["pipeline"] = [
        dict(step, pack_transformed=True) if step["type"] == "PackPoseInputs" else step
        for step in dataset["pipeline"]
    ]
    return DATASETS.build(dataset)


def compare(
    ours: BaseCocoStyleDataset, theirs: BaseCocoStyleDataset, indices: Iterable[int], seed: int = 0
) -> Agreement:
    """Compare samples of two sets from `build_set`, each pair with random numbers of its own seed.

    Raises:
        ValueError: The sets do not hold the same persons in the same order.
    """
    distances, differences = [], []
    for index in indices:
        a, b = (_sample(dataset, index, seed) for dataset in (ours, theirs))
        if a["data_samples"].id != b["data_samples"].id:
            raise ValueError(f"sample {index} is not the same person in both sets")
        distances.append(np.linalg.norm(_keypoints(a) - _keypoints(b), axis=-1))
        differences.append(np.abs(a["inputs"].numpy() - b["inputs"].numpy().astype(float)).mean())
    distance = np.concatenate(distances)
    return Agreement(
        len(differences), float(distance.max()), float(distance.mean()), float(np.mean(differences))
    )


def _sample(dataset: BaseCocoStyleDataset, index: int, seed: int) -> dict:
    np.random.seed(seed + index)  # MMPose's transforms draw from the global generator
    return dataset[index]


def _keypoints(sample: dict) -> np.ndarray:
    """Return (n, 2) labelled keypoints in pixels of the input."""
    instances = sample["data_samples"].gt_instances
    return instances.transformed_keypoints[instances.keypoints_visible > 0]
