"""The light head: its shape, its loss and prediction through an estimator, its initialisation."""

import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

CODEC = dict(type="MSRAHeatmap", input_size=(64, 96), heatmap_size=(16, 24), sigma=2)


def build_head(**options):
    return MODELS.build(
        dict(
            type="InvertedResidualHead",
            in_channels=40,
            out_channels=17,
            loss=dict(type="KeypointMSELoss", use_target_weight=True),
            decoder=CODEC,
            **options,
        )
    )


@pytest.fixture
def sample():
    instances = InstanceData(
        bboxes=[[0, 0, 64, 96]],
        bbox_centers=torch.tensor([[32.0, 48.0]]).numpy(),
        bbox_scales=torch.tensor([[64.0, 96.0]]).numpy(),
        bbox_scores=[1.0],
    )
    sample = PoseDataSample(
        metainfo=dict(
            input_size=(64, 96),
            input_center=instances.bbox_centers[0],
            input_scale=instances.bbox_scales[0],
            flip_indices=list(range(17)),
        )
    )
    sample.gt_instances = instances
    sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
    sample.gt_fields = PixelData(heatmaps=torch.rand(17, 24, 16))
    return sample


def test_three_stages_multiply_the_map_by_eight():
    head = build_head()
    assert head((torch.zeros(2, 40, 3, 2),)).shape == (2, 17, 24, 16)
    blocks = [block for stage in head.stages for block in stage[1:]]
    assert [block.conv[-1].out_channels for block in blocks] == [256, 256, 128, 128]
    assert [block.conv[0].out_channels for block in blocks] == [40, 768, 768, 384]


def test_stages_are_a_choice():
    head = build_head(stages=((32,), (16, 16)))
    assert head((torch.zeros(1, 40, 3, 2),)).shape == (1, 17, 12, 8)


def test_plain_activation_is_relu6():
    kinds = {type(m).__name__ for m in build_head().modules() if "ReLU" in type(m).__name__}
    assert kinds == {"ReLU6"}


def test_starts_with_small_heatmaps():
    head = build_head()
    head.init_weights()
    assert head.final_layer.weight.std() < 2e-3
    assert head.stages[0][1].conv[0].conv.weight.std() > 0.05  # He, not the heatmap head's 0.001


def test_loss_and_prediction(sample):
    head = build_head()
    feats = (torch.randn(1, 40, 3, 2),)
    losses = head.loss(feats, [sample])
    losses["loss_kpt"].backward()
    assert head.stages[0][1].conv[0].conv.weight.grad.abs().sum() > 0
    (prediction,) = head.predict(feats, [sample], test_cfg=dict(flip_test=False))
    assert prediction.keypoints.shape == (1, 17, 2)
