"""The transforms of a top-down pipeline up to the warp, on all persons of a batch at once.

They draw from the generator that MMPose's draw from, by its own code where that takes many boxes.
"""

from collections.abc import Callable, Sequence
from typing import cast

import cv2
import numpy as np
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from mmpose.datasets.transforms import (
    GenerateTarget,
    GetBBoxCenterScale,
    RandomBBoxTransform,
    RandomFlip,
    RandomHalfBody,
    TopdownAffine,
)
from mmpose.structures.bbox import flip_bbox, get_udp_warp_matrix, get_warp_matrix
from mmpose.structures.keypoint import flip_keypoints

from dyrelu_pose.errors import UserError

from .batch_targets import encodes_batches
from .load_image import LoadImage


def split(transforms: Sequence[Callable]) -> tuple[list[Callable], list[Callable]]:
    """Return the steps of a pipeline up to its warp as functions of a batch, and what follows.

    A function takes a dict with these entries of N persons and changes it:

        img                list of N pictures
        img_shape          (N, 2) their heights and widths
        bbox               (N, 4) left, top, right, bottom
        keypoints          (N, K, 2), keypoints_visible (N, K)
        flip               (N,) whether a person is flipped: nobody, at first

    What each adds is called as in MMPose, with N for 1 in the shapes.

    Raises:
        UserError: There is no warp, or a step before it that takes pictures one by one.
    """
    steps = []
    for position, transform in enumerate(transforms):
        if type(transform) in (GetBBoxCenterScale, RandomHalfBody, RandomBBoxTransform):
            steps.append(transform.transform)
        elif (
            type(transform) is RandomFlip
            and transform.direction == "horizontal"
            and isinstance(transform.prob, float)
        ):
            steps.append(Flip(transform.prob))
        elif type(transform) is TopdownAffine:
            warp = Warp(cast(TopdownAffine, transform))
            return [*steps, warp], list(transforms[position + 1 :])
        elif not isinstance(transform, LoadImage):
            raise UserError(
                f"CropArrayDataset warps whole batches: {transform} cannot come before "
                "TopdownAffine; put it behind, or use CocoDataset"
            )
    raise UserError("CropArrayDataset needs a top-down pipeline, with TopdownAffine")


class Flip:
    """Decide who is flipped; boxes and keypoints are, the picture only by the warp.

    Args:
        probability: Share of the persons.
    """

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def __call__(self, batch: dict) -> None:
        """Flip a part of the persons horizontally."""
        flip = batch["flip"] = np.random.rand(len(batch["bbox"])) < self.probability
        heights, widths = batch["img_shape"][flip].T[..., None]
        size = widths, heights
        batch["bbox"][flip] = flip_bbox(batch["bbox"][flip], size, "xyxy")
        if "bbox_center" in batch:
            center = batch["bbox_center"]
            center[flip] = flip_bbox(center[flip], (widths[:, 0], heights[:, 0]), "center")
        batch["keypoints"][flip], batch["keypoints_visible"][flip] = flip_keypoints(
            batch["keypoints"][flip],
            batch["keypoints_visible"][flip],
            size,
            batch["flip_indices"],
        )


class Warp:
    """Warp each box to the input, flipped or not, in one step: `img` becomes (N, H, W, 3).

    Args:
        transform: MMPose's step.
    """

    def __init__(self, transform: TopdownAffine) -> None:
        width, height = transform.input_size
        self.size = (width, height)
        self.matrix = get_udp_warp_matrix if transform.use_udp else get_warp_matrix

    def __call__(self, batch: dict) -> None:
        """Warp pictures and keypoints."""
        width, height = self.size
        matrices = self.matrices(batch)  # (N, 2, 3)
        linear, offset = matrices[..., :2], matrices[..., 2]
        keypoints = batch["keypoints"] @ linear.mT + offset[:, None]
        batch["transformed_keypoints"] = keypoints.astype(np.float32)
        # Of the picture as it is: its column x is column W - 1 - x of the flipped one.
        flip = batch["flip"]
        last = batch["img_shape"][flip, 1] - 1
        matrices[flip, :, 2] += matrices[flip, :, 0] * last[:, None]
        matrices[flip, :, 0] *= -1
        warped = np.empty((len(matrices), height, width, 3), np.uint8)
        for picture, matrix, out in zip(batch["img"], matrices, warped, strict=True):
            cv2.warpAffine(picture, matrix, self.size, dst=out, flags=cv2.INTER_LINEAR)
        batch["img"] = warped

    def matrices(self, batch: dict) -> np.ndarray:
        """Return (N, 2, 3) from pixels of the picture, flipped where it is, to the input's."""
        width, height = self.size
        batch["bbox_scale"] = TopdownAffine._fix_aspect_ratio(batch["bbox_scale"], width / height)
        centers, scales = batch["bbox_center"], batch["bbox_scale"]
        rotations = batch.get("bbox_rotation", np.zeros(len(centers)))
        boxes = zip(centers, scales, rotations, strict=True)
        return np.array([self.matrix(*box, output_size=self.size) for box in boxes])


def encoder_of(transform: Callable) -> MSRAHeatmap | UDPHeatmap | None:
    """Return the codec of a `GenerateTarget` whose targets `encode_batch` makes, or None."""
    if type(transform) is not GenerateTarget or transform.use_dataset_keypoint_weights:
        return None
    codec = transform.encoder
    return codec if not isinstance(codec, list) and encodes_batches(codec) else None
