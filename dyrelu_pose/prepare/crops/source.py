"""Where a config's data is, and what its pipelines read of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from dyrelu_pose.datasets.coco import reads_plain_coco
from dyrelu_pose.datasets.load_image import loading_step
from dyrelu_pose.errors import UserError

from .augmentation import Augmentation, read_augmentation

SPLITS = ("train", "val")


@dataclass(frozen=True)
class Source:
    """One split of a data set in the COCO format.

    Args:
        split: 'train' or 'val'.
        ann_file: Annotation file.
        images: Folder that the file names in it start from.
        augmentations: What each pipeline that is run on it may read.
        halves: Indices of the keypoints of the upper and of the lower body.
        keypoints: Number of keypoints of a person.
        color_type: How pictures are loaded, as of `LoadImage`.
        skip_bad_samples: Whether wrong entries are left out.
    """

    split: str
    ann_file: Path
    images: Path
    augmentations: tuple[Augmentation, ...]
    halves: tuple[tuple[int, ...], tuple[int, ...]]
    keypoints: int
    color_type: str
    skip_bad_samples: bool

    @property
    def zoom(self) -> float:
        """How much an augmentation can magnify the padded box; 1 or more."""
        return max(1.0, *(1 / augmentation.smallest for augmentation in self.augmentations))

    def region(self, box: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
        """Return the rectangle that contains all that any of the pipelines can read of a person.

        Args:
            box: (4,) left, top, right, bottom in pixels.
            keypoints: (K, 3) x, y in pixels and visibility.

        Returns:
            (4,) left, top, right, bottom in pixels, not clipped to the image.
        """
        of_halves = [keypoints[list(indices)] for indices in self.halves]
        labelled = [half[half[:, 2] > 0, :2] for half in of_halves]
        regions = np.array(
            [augmentation.region(box, labelled) for augmentation in self.augmentations]
        )
        return np.concatenate([regions[:, :2].min(0), regions[:, 2:].max(0)])


def read_source(cfg: Config, split: str) -> Source:
    """Read a split from its data loader and, for training, the pipeline that a hook switches to.

    Raises:
        UserError: The data set is not one in the COCO format, files are missing, or the pipelines
            are not top-down ones of one input size.
    """
    key = f"{split}_dataloader.dataset"
    dataset = cfg.get(f"{split}_dataloader", {}).get("dataset")
    if dataset is None:
        raise UserError(f"the config has no {key}")
    pipelines = [dataset.get("pipeline", [])]
    if split == "train":
        hooks = cfg.get("custom_hooks") or []
        pipelines += [hook.switch_pipeline for hook in hooks if "switch_pipeline" in hook]
    augmentations = tuple(read_augmentation(pipeline) for pipeline in pipelines)
    if len({augmentation.input_size for augmentation in augmentations}) > 1:
        raise UserError(f"the pipelines of {key} differ in input_size")
    root = Path(dataset.get("data_root") or "")
    info = _metainfo(dataset, key)
    source = Source(
        split=split,
        ann_file=root / dataset.get("ann_file", ""),
        images=root / (dataset.get("data_prefix") or {}).get("img", ""),
        augmentations=augmentations,
        halves=(tuple(info["upper_body_ids"]), tuple(info["lower_body_ids"])),
        keypoints=info["num_keypoints"],
        color_type=loading_step(pipelines[0]).color_type,
        skip_bad_samples=dataset.get("skip_bad_samples", False),
    )
    _check_exist(source, key)
    return source


def _metainfo(dataset: dict, key: str) -> dict:
    name = dataset["type"]
    kind = DATASETS.get(name)
    if kind is None or not reads_plain_coco(kind):
        raise UserError(
            f"{key}.type={name} does not read plain COCO keypoint annotations, which are "
            "what crops are made of; use CocoDataset, or crop the sets that it combines one by one"
        )
    return kind._load_metainfo(dataset.get("metainfo"))


def _check_exist(source: Source, key: str) -> None:
    if not source.ann_file.is_file():
        raise UserError(f"annotation file {source.ann_file} ({key}.ann_file) does not exist")
    if not source.images.is_dir():
        raise UserError(f"folder {source.images} ({key}.data_prefix.img) does not exist")
