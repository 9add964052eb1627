"""Data sets that make whole batches out of arrays of crops."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from mmengine.dataset import BaseDataset, ConcatDataset
from mmpose.registry import DATASETS

from .batch_steps import encoder_of, split
from .batch_targets import encode_batch
from .coco import CocoDataset
from .picture_array import PictureArray

META = (
    *("dataset_name", "upper_body_ids", "lower_body_ids", "flip_pairs", "flip_indices"),
    *("dataset_keypoint_weights", "skeleton_links"),
)
OF_PERSONS = (
    *("bbox", "bbox_center", "bbox_scale", "bbox_rotation", "keypoints", "keypoints_visible"),
    *("transformed_keypoints", "keypoint_weights"),
)


@DATASETS.register_module()
class CropArrayDataset(CocoDataset):
    """`CocoDataset` for top-down training, several times as fast: batches of decoded crops.

    The pictures come from a memory-mapped array that all workers and runs share; flip, rotation and
    scale are one affine warp; targets are made for a batch together. Batches are distributed as
    those of MMPose's pipeline, and consist of the same samples. It suits a config that trains on
    what tools/crop_dataset.py or tools/make_synthetic_coco.py wrote with --array:

        train_dataloader.dataset.type=CropArrayDataset

    The pipeline stays as it is. Steps before its `TopdownAffine` are those of MMPose that move and
    flip boxes; any may follow, which see one sample at a time. A batch is drawn together, so that
    a seed draws other numbers than with `CocoDataset`.

    Args: see `CocoDataset`.

    Raises:
        UserError: There is no array, or a step of the pipeline takes pictures one by one.
    """

    def full_init(self) -> None:
        """Read the annotation file and find the array, unless it has been done."""
        if self._fully_initialized:
            return
        super().full_init()
        split(self.pipeline.transforms)
        self.pictures = PictureArray(self.ann_file, self.data_prefix["img"])
        persons = [BaseDataset.get_data_info(self, index) for index in range(len(self))]
        self.ids = np.array([(p["id"], p["img_id"], p["category_id"]) for p in persons])
        self.shapes = np.array([self.pictures.shape(person["img_id"]) for person in persons])
        self.boxes, self.keypoints, self.visible = (
            np.concatenate([person[key] for person in persons])
            for key in ("bbox", "keypoints", "keypoints_visible")
        )
        self.meta = {key: self._metainfo[key] for key in META}

    def __getitem__(self, index: int) -> dict:
        """Return one sample: a batch of one."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Return the samples of a batch; PyTorch's loader asks for them so."""
        if not self._fully_initialized:
            self.full_init()
        steps, rest = split(self.pipeline.transforms)
        batch: dict = dict(
            self.meta,
            img=[self.pictures[id] for id in self.ids[indices, 1]],
            img_shape=self.shapes[indices],
            bbox=self.boxes[indices],
            keypoints=self.keypoints[indices],
            keypoints_visible=self.visible[indices],
            flip=np.zeros(len(indices), bool),
        )
        for step in steps:
            step(batch)
        if rest and (codec := encoder_of(rest[0])):
            batch["heatmaps"], batch["keypoint_weights"] = encode_batch(
                codec, batch["transformed_keypoints"], batch["keypoints_visible"]
            )
            del rest[0]
        samples = []
        for n, index in enumerate(indices):
            sample = self._sample(batch, n, index)
            for transform in rest:
                sample = cast(dict, transform(sample))
            samples.append(sample)
        return samples

    def _sample(self, batch: dict, n: int, index: int) -> dict:
        """Return the n-th person of a batch as MMPose's transforms know one."""
        id, img_id, category_id = self.ids[index].tolist()
        sample = dict(self.meta, id=id, img_id=img_id, category_id=category_id)
        sample |= {key: batch[key][n : n + 1] for key in OF_PERSONS if key in batch}
        sample |= {key: batch[key][n] for key in ("img", "heatmaps") if key in batch}
        height, width = batch["img"].shape[1:3]
        return sample | dict(
            img_shape=tuple(self.shapes[index].tolist()),
            input_size=(width, height),
            input_center=batch["bbox_center"][n],
            input_scale=batch["bbox_scale"][n],
            flip=bool(batch["flip"][n]),
            flip_direction="horizontal" if batch["flip"][n] else None,
        )


@DATASETS.register_module()
class CombinedCropArrays(ConcatDataset):
    """Several `CropArrayDataset` as one, each of which makes its part of a batch at once.

        train_dataloader = dict(
            dataset=dict(type="CombinedCropArrays", datasets=[coco_crops, lspet_crops])
        )

    Args: see `mmengine.dataset.ConcatDataset`.
    """

    def __getitems__(self, indices: Sequence[int]) -> list[dict]:
        """Return the samples of a batch, in the order of their indices."""
        owners, rows = np.array([self._get_ori_dataset_idx(index) for index in indices]).T
        samples = {}
        for owner in np.unique(owners):
            (own,) = np.nonzero(owners == owner)
            part = self.datasets[owner].__getitems__(rows[own])
            samples |= zip(own.tolist(), part, strict=True)
        return [samples[position] for position in range(len(indices))]
