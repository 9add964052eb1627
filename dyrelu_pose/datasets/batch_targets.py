"""Gaussian targets of many persons at once, cell by cell those of MMPose's codecs."""

from typing import TypeGuard

import numpy as np
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from mmpose.codecs.base import BaseKeypointCodec


def encodes_batches(codec: BaseKeypointCodec) -> TypeGuard[MSRAHeatmap | UDPHeatmap]:
    """Tell whether `encode_batch` knows the targets of a codec."""
    encode = type(codec).encode  # of the class, or of the one that it takes targets from
    if isinstance(codec, UDPHeatmap):
        return encode is UDPHeatmap.encode and codec.heatmap_type == "gaussian"
    if isinstance(codec, MSRAHeatmap):
        return encode is MSRAHeatmap.encode and not codec.unbiased
    return False


def encode_batch(
    codec: MSRAHeatmap | UDPHeatmap, keypoints: np.ndarray, visible: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `codec.encode` returns for each person, of all together.

    Args:
        codec: One of those that `encodes_batches` accepts.
        keypoints: (N, K, 2), pixels of the input.
        visible: (N, K), at least 0.5 where a keypoint is labelled.

    Returns:
        Heatmaps (N, K, H, W), float32, and weights (N, K): those of `visible`, 0 where the Gaussian
        is outside.
    """
    points = keypoints / codec.scale_factor
    nearest = (points + 0.5).astype(np.int64)
    radius = codec.sigma * 3
    # As MMPose has them: rounded towards zero, also left of the first cell.
    first = (nearest - radius).astype(np.int64)
    after = (nearest + radius + 1).astype(np.int64)
    size = 2 * radius + 1
    center = first + size // 2  # (N, K, 2), cells
    if not isinstance(codec, MSRAHeatmap):
        center = center + points - nearest
    cells = codec.heatmap_size
    outside = ((first >= cells) | (after < 0)).any(2)
    labelled = visible >= 0.5
    along_x, along_y = (
        _gaussian(cells[axis], first[..., axis], after[..., axis], center[..., axis], codec.sigma)
        for axis in (0, 1)
    )
    along_y *= (labelled & ~outside)[..., None]
    weights = np.where(labelled & outside, 0, visible).astype(visible.dtype)
    return along_y[..., :, None] * along_x[..., None, :], weights


def _gaussian(
    cells: int, first: np.ndarray, after: np.ndarray, center: np.ndarray, sigma: float
) -> np.ndarray:
    """Return (N, K, cells) Gaussians that are 0 before their first cell and from `after` on."""
    at = np.arange(cells)
    inside = (at >= first[..., None]) & (at < after[..., None])
    distances = (at - center[..., None]).astype(np.float32)
    return np.exp(-(distances**2) / (2 * sigma**2)) * inside
