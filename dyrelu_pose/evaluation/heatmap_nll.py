"""The loss of a heatmap model on data that it does not train on."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from torch import Tensor

from dyrelu_pose.codecs.softmax_heatmap import heatmap_cross_entropy
from dyrelu_pose.errors import UserError

# What a config needs, for the errors.
OUTPUT = "test_cfg=dict(output_heatmaps=True) in its model"
TARGET = 'dict(type="GenerateTarget", encoder=codec) in the pipeline of the set'


@METRICS.register_module()
class HeatmapNLL(BaseMetric):
    """`heatmap/NLL`: mean negative log likelihood of the targets under the predicted heatmaps.

    It is `HeatmapCrossEntropyLoss` over all labelled keypoints of the set, of what is tested: with
    a flip test, of the mean of both heatmaps. AP says where the maximum lies, this how much a model
    knew. It suits models whose heatmaps are logits. Beside AP a config asks for it with

        model = dict(test_cfg=dict(output_heatmaps=True))
        val_evaluator = [dict(type="PycocoMetric", ann_file=...), dict(type="HeatmapNLL")]

    and with `dict(type="GenerateTarget", encoder=codec)`, as in training, before `PackPoseInputs`
    in the pipeline of `val_dataloader`.

    Args: see `mmengine.evaluator.BaseMetric`.

    Raises:
        UserError: A sample has no predicted heatmaps, or no targets.
    """

    default_prefix = "heatmap"

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Add the samples of a batch, as `PoseDataSample.to_dict` gives them."""
        for sample in data_samples:
            output = _field(sample, "pred_fields", "heatmaps", OUTPUT)
            target = _field(sample, "gt_fields", "heatmaps", TARGET).to(output)
            weights = _field(sample, "gt_instance_labels", "keypoint_weights", TARGET).to(output)
            nll = heatmap_cross_entropy(output[None], target[None])  # (1, K)
            self.results.append(((nll * weights).sum().item(), weights.sum().item()))

    def compute_metrics(self, results: list[tuple[float, float]]) -> dict[str, float]:
        """Return the mean over labelled keypoints, from sums of likelihoods and of weights."""
        nll, weights = map(sum, zip(*results, strict=True))
        return dict(NLL=nll / max(weights, 1))


def _field(sample: dict, part: str, name: str, remedy: str) -> Tensor:
    """Return a tensor of a sample, where its pipeline or the model has put it."""
    found = sample.get(part) or {}
    if name not in found:
        raise UserError(f"HeatmapNLL: a sample has no {part}.{name}: the config needs {remedy}")
    return torch.as_tensor(found[name])
