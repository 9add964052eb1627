"""Weights go into their own model only, since what does not fit would predict nonsense."""

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.inference.weights import WeightsError, load_weights
from tests.scripts import DEMO

RELU = "configs/demo/resnet18.py"


def model_of(config):
    return MODELS.build(Config.fromfile(config).model)


def test_dyrelu_weights_do_not_go_into_a_relu_model(checkpoint):
    with pytest.raises(WeightsError, match="not of this config's model:\n  unexpected key"):
        load_weights(model_of(RELU), checkpoint)


def test_relu_weights_make_the_same_backbone_of_dyrelu(tmp_path):
    relu, path = model_of(RELU), tmp_path / "relu.pth"
    torch.save(dict(state_dict=relu.state_dict()), path)
    model = model_of(DEMO)
    load_weights(model, path)
    picture = torch.randn(1, 3, 64, 64)
    ours, theirs = (m.eval().extract_feat(picture) for m in (model, relu))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_missing_or_misshapen_tensor_is_named(checkpoint, tmp_path):
    weights = torch.load(checkpoint)["state_dict"]
    weights["backbone.conv1.weight"] = torch.zeros(1)
    path = tmp_path / "damaged.pth"
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(WeightsError, match="backbone.conv1.weight"):
        load_weights(model_of(DEMO), path)
    del weights["backbone.conv1.weight"]
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(WeightsError, match="missing keys.*backbone.conv1.weight"):
        load_weights(model_of(DEMO), path)
