"""The registered estimator: it is the base estimator, and starts where a ReLU checkpoint ends."""

import copy
import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import load_state_dict
from mmpose.registry import MODELS

from dyrelu_pose import DyReLUB, DyReLUC
from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.models import estimator

CODEC = dict(type="MSRAHeatmap", input_size=(64, 96), heatmap_size=(16, 24), sigma=2)
RESNET = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(type="PoseDataPreprocessor"),
    backbone=dict(type="ResNet", depth=18),
    head=dict(
        type="HeatmapHead",
        in_channels=512,
        out_channels=17,
        deconv_out_channels=(32, 32, 32),
        loss=dict(type="KeypointMSELoss", use_target_weight=True),
        decoder=CODEC,
    ),
)


def build(dyrelu, config=RESNET, **changes):
    config = dict(copy.deepcopy(config), estimator=config["type"], **changes)
    config["type"] = "DyReLUPoseEstimator"
    return MODELS.build(dict(config, dyrelu=dyrelu))


RULES = [
    dict(sites="backbone.*", act=dict(type="DyReLUB")),
    dict(sites="head.*", act=dict(type="DyReLUC", gamma=1.0, cap=3.0)),
]


def test_is_the_base_estimator_with_layers_placed():
    model = build(RULES)
    assert type(model).__name__ == "TopdownPoseEstimator"
    kinds = [type(module) for module in model.modules()]
    assert kinds.count(DyReLUB) == 17
    assert kinds.count(DyReLUC) == 3


def test_relu_checkpoint_gives_bit_identical_heatmaps(caplog):
    relu = MODELS.build(copy.deepcopy(RESNET))
    relu.init_weights()
    model = build(RULES)
    with caplog.at_level(logging.INFO):
        load_state_dict(model, relu.state_dict())
    images = torch.randn(2, 3, 96, 64)
    for module in (relu, model):
        module.eval()
    with torch.no_grad():
        assert torch.equal(model(images, None, mode="tensor"), relu(images, None, mode="tensor"))


def test_act_cfg_without_channels_gets_its_width():
    backbone = dict(type="MobileNetV2", out_indices=(7,), act_cfg=dict(type="DyReLUB"))
    model = build([], backbone=backbone, head=dict(RESNET["head"], in_channels=1280))
    layers = [module for module in model.modules() if isinstance(module, DyReLUB)]
    assert len(layers) == 35
    assert all(layer.channels for layer in layers)
    model.eval()
    model(torch.randn(1, 3, 96, 64), None, mode="tensor")


def test_input_size_is_needed_where_no_decoder_has_one():
    head = dict(RESNET["head"], decoder=None)
    message = r"needs model.input_size=\(W, H\), in pixels: no decoder"
    with pytest.raises(UserError, match=message):
        build(RULES, head=head)
    ours = dict(RESNET, type="DyReLUPoseEstimator", estimator=RESNET["type"], head=head)
    with pytest.raises(UserError, match=message):  # as in training, wherever else the size is
        estimator.build(Config(dict(model=ours, input_size=(64, 96))))
    model = build(RULES, head=head, input_size=(64, 96))
    assert sum(isinstance(module, DyReLUC) for module in model.modules()) == 3


@pytest.mark.parametrize(
    "entries",
    [dict(type="DyReLUPoseEstimator", estimator="PoseLifter"), dict(type="PoseLifter")],
)
def test_lifters_are_refused_before_they_are_built(entries):
    message = "is a PoseLifter, which reads keypoints, not images"
    with pytest.raises(UserError, match=message):
        estimator.build(Config(dict(model=entries)))
    if "estimator" in entries:
        with pytest.raises(UserError, match=message):
            MODELS.build(dict(entries, backbone=dict(type="TCN")))


@pytest.mark.parametrize("rules", [RULES, []], ids=["rules", "none"])
def test_build_says_what_is_placed(rules):
    cfg = Config(
        dict(model=dict(RESNET, type="DyReLUPoseEstimator", estimator=RESNET["type"], dyrelu=rules))
    )
    before = cfg.to_dict()
    model, placements = estimator.build(cfg)
    placed = [module for module in model.modules() if isinstance(module, DyReLU)]
    assert len(placed) == sum(placement.placed is not None for placement in placements)
    assert len(placements) == 20
    assert cfg.to_dict() == before


def test_registry_names_do_not_change_the_host():
    assert MODELS.get("HeatmapHead").__module__.startswith("mmpose.")


def test_unknown_estimator_is_named():
    with pytest.raises(KeyError, match="TopdwonPoseEstimator"):
        build(RULES, config=dict(RESNET, type="TopdwonPoseEstimator"))
