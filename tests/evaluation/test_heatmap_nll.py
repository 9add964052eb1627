"""Likelihood of target heatmaps: against the loss, and what is said where a config lacks a part."""

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample

from dyrelu_pose.errors import UserError
from dyrelu_pose.models.losses import HeatmapCrossEntropyLoss


def sample(output, target, weights):
    found = PoseDataSample()
    found.pred_fields = PixelData(heatmaps=output)
    found.gt_fields = PixelData(heatmaps=target)
    found.gt_instance_labels = InstanceData(keypoint_weights=weights[None])
    return found


def evaluate(*batches):
    evaluator = Evaluator(METRICS.build(dict(type="HeatmapNLL")))
    for batch in batches:
        evaluator.process(batch)
    return evaluator.evaluate(sum(map(len, batches)))


def test_it_is_the_loss_over_all_keypoints_however_they_are_batched():
    output, target = torch.randn(3, 5, 4, 3), torch.rand(3, 5, 4, 3)
    weights = (torch.rand(3, 5) > 0.4).float()
    samples = [sample(*parts) for parts in zip(output, target, weights, strict=True)]
    expected = HeatmapCrossEntropyLoss()(output, target, weights).item()
    assert evaluate(samples[:2], samples[2:]) == {"heatmap/NLL": pytest.approx(expected)}


def test_a_map_that_knows_nothing_costs_the_logarithm_of_its_cells():
    (found,) = evaluate([sample(torch.zeros(1, 4, 3), torch.rand(1, 4, 3), torch.ones(1))]).values()
    assert found == pytest.approx(torch.tensor(12.0).log().item())


def test_nobody_labelled_is_no_division_by_zero():
    unlabelled = sample(torch.zeros(1, 4, 3), torch.zeros(1, 4, 3), torch.zeros(1))
    assert evaluate([unlabelled]) == {"heatmap/NLL": 0}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "pred_fields",
            "no pred_fields.heatmaps: the config needs test_cfg=",
        ),
        ("gt_fields", r"no gt_fields.heatmaps: the config needs dict\(type=.GenerateTarget"),
        ("gt_instance_labels", r"no gt_instance_labels.keypoint_weights: the config needs dict"),
    ],
)
def test_what_the_config_needs_is_said(part, message):
    incomplete = sample(torch.zeros(1, 4, 3), torch.rand(1, 4, 3), torch.ones(1))
    delattr(incomplete, part)
    with pytest.raises(UserError, match=message):
        evaluate([incomplete])
