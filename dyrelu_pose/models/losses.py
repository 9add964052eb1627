"""A heatmap loss for short trainings."""

from mmpose.registry import MODELS
from torch import Tensor, nn

from dyrelu_pose.codecs.softmax_heatmap import heatmap_cross_entropy


@MODELS.register_module()
class HeatmapCrossEntropyLoss(nn.Module):
    """Cross entropy between each keypoint's heatmap and its Gaussian, as distributions over cells.

    The mean squared error spends most of its gradient on keeping empty cells empty; this loss
    only ranks the cells against each other. Decode with `SoftmaxHeatmap`.
    """

    def forward(self, output: Tensor, target: Tensor, target_weights: Tensor) -> Tensor:
        """Return the mean over labelled keypoints.

        Args:
            output: Logits, (N, K, H, W).
            target: Heatmaps, (N, K, H, W), not negative; any scale.
            target_weights: Weights of the keypoints, (N, K); 0 leaves one out.
        """
        loss = heatmap_cross_entropy(output, target)
        return (loss * target_weights).sum() / target_weights.sum().clamp(min=1)
