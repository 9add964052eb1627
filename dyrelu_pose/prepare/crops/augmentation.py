"""What a top-down pipeline of MMPose may read of an image around a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import atan2, cos, pi, radians, sin

import numpy as np
from mmpose.datasets.transforms import (
    GetBBoxCenterScale,
    RandomBBoxTransform,
    RandomHalfBody,
    TopdownAffine,
)
from mmpose.registry import TRANSFORMS

from dyrelu_pose.errors import UserError


@dataclass(frozen=True)
class Augmentation:
    """The ranges in which a pipeline moves, scales and turns the box that it warps to the input.

    Args:
        input_size: Width and height of the network's input, pixels.
        padding: Factor of the person's box (`GetBBoxCenterScale`).
        half_body: Factor of the box of a half's keypoints (`RandomHalfBody`); None: never drawn.
        shift: Largest shift along x and y, fraction of the padded box.
        smallest: Least factor of the padded box; below 1 zooms in.
        largest: Greatest factor of the padded box.
        rotation: Largest rotation either way, degrees.
    """

    input_size: tuple[int, int]
    padding: float
    half_body: float | None = None
    shift: float = 0.0
    smallest: float = 1.0
    largest: float = 1.0
    rotation: float = 0.0

    def padded(self, size: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """Return (width, height) of a box enlarged to the aspect ratio of the input."""
        width, height = size
        aspect = self.input_size[0] / self.input_size[1]
        return max(width, height * aspect), max(height, width / aspect)

    def region(self, box: np.ndarray, halves: Iterable[np.ndarray]) -> np.ndarray:
        """Return the least upright rectangle that contains all that can be read.

        Args:
            box: (4,) left, top, right, bottom in pixels.
            halves: (n, 2) labelled keypoints in pixels of the upper and of the lower body.

        Returns:
            (4,) left, top, right, bottom in pixels, not clipped to the image.
        """
        boxes = [((box[:2] + box[2:]) / 2, (box[2:] - box[:2]) * self.padding)]
        if self.half_body is not None:
            boxes += [
                (half.mean(0), np.ptp(half, axis=0) * self.half_body)
                for half in halves
                if len(half)
            ]
        reaches = [self._reach(size) for _, size in boxes]
        lows = [center - reach for (center, _), reach in zip(boxes, reaches, strict=True)]
        highs = [center + reach for (center, _), reach in zip(boxes, reaches, strict=True)]
        return np.concatenate([np.min(lows, axis=0), np.max(highs, axis=0)])

    def _reach(self, size: np.ndarray) -> np.ndarray:
        """Return (2,) how far from its centre a box of (width, height) can read along x and y."""
        width, height = self.padded(size)
        # W cos t + H sin t is largest at t = atan(H / W), where the diagonal lies along x.
        along_x, along_y = (
            min(radians(self.rotation), pi / 2, angle)
            for angle in (atan2(height, width), atan2(width, height))
        )
        turned = (
            width * cos(along_x) + height * sin(along_x),
            height * cos(along_y) + width * sin(along_y),
        )
        # MMPose shifts by a fraction of the box before its aspect ratio is fixed.
        return self.largest / 2 * np.array(turned) + self.shift * np.asarray(size)


def read_augmentation(pipeline: Sequence[dict]) -> Augmentation:
    """Read the ranges from the transforms of a config's pipeline.

    Raises:
        UserError: It is not a top-down pipeline, or has one of the transforms read here twice.
    """
    transforms = [TRANSFORMS.build(transform) for transform in pipeline]
    box = _only(transforms, GetBBoxCenterScale)
    warp = _only(transforms, TopdownAffine)
    if box is None or warp is None:
        raise UserError(
            "crops are made for top-down pipelines, with GetBBoxCenterScale and TopdownAffine; "
            f"this one has {', '.join(type(transform).__name__ for transform in transforms)}"
        )
    width, height = warp.input_size
    found = Augmentation((width, height), box.padding)
    half_body = _only(transforms, RandomHalfBody)
    if half_body is not None and half_body.prob > 0:
        found = replace(found, half_body=half_body.padding)
    random = _only(transforms, RandomBBoxTransform)
    if random is not None:
        found = replace(found, **_ranges(random))
    return found


def _ranges(random: RandomBBoxTransform) -> dict[str, float]:
    scales = list(random.scale_factor) if random.scale_prob > 0 else []
    if random.scale_prob < 1:
        scales.append(1.0)
    return dict(
        shift=random.shift_factor if random.shift_prob > 0 else 0.0,
        smallest=min(scales),
        largest=max(scales),
        rotation=random.rotate_factor if random.rotate_prob > 0 else 0.0,
    )


def _only(transforms: Sequence, kind: type):
    """Return the one transform of a kind, or None."""
    found = [transform for transform in transforms if isinstance(transform, kind)]
    if len(found) > 1:
        raise UserError(
            f"the pipeline has {len(found)} transforms {kind.__name__}: the region that they read "
            "together is not known; leave one"
        )
    return found[0] if found else None
