"""UDP heatmaps for models that predict, per keypoint, a distribution over cells."""

import numpy as np
from mmpose.codecs import UDPHeatmap
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor


@KEYPOINT_CODECS.register_module()
class SoftmaxHeatmap(UDPHeatmap):
    """MMPose's `UDPHeatmap` for heatmaps of logits, as `HeatmapCrossEntropyLoss` trains them.

    Targets are the same Gaussians. Predictions are turned into probabilities first, scaled so that
    the Gaussian the model was trained on has a peak of 1: the scores read like those of
    other heatmaps.

    Args: those of `UDPHeatmap`, with `heatmap_type='gaussian'`.
    """

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return keypoints (1, K, 2) in input pixels and scores (1, K) of logits (K, H, W)."""
        # In float64: UDP inverts second differences, which float32 rounds to singular matrices
        # where a map is almost flat, as at the start of a training.
        logits = encoded.astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=(1, 2), keepdims=True)
        peak = 1 / (2 * np.pi * self.sigma**2)
        return super().decode(np.minimum(probabilities / peak, 1))


def heatmap_cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Return the cross entropy of each heatmap, (N, K), of logits and targets (N, K, H, W).

    A target is a distribution once it is divided by its sum.
    """
    target = target.flatten(2)  # (N, K, HW)
    target = target / target.sum(2, keepdim=True).clamp(min=1e-6)
    return -(target * output.flatten(2).log_softmax(2)).sum(2)
