"""Weights go into their own model only, since what does not fit would predict nonsense."""

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.load import load_trained
from tests.scripts import DEMO

RELU = "configs/demo/resnet18.py"


def load(config, checkpoint, device="cpu"):
    return load_trained(Config.fromfile(config), checkpoint, device)


def test_dyrelu_weights_do_not_go_into_a_relu_model(checkpoint):
    with pytest.raises(UserError, match=f"does not fit the model of .*{RELU}: unexpected key"):
        load(RELU, checkpoint)


def test_relu_weights_make_the_same_backbone_of_dyrelu(tmp_path):
    relu, path = MODELS.build(Config.fromfile(RELU).model), tmp_path / "relu.pth"
    torch.save(dict(state_dict=relu.state_dict()), path)
    model = load(DEMO, path)
    picture = torch.randn(1, 3, 64, 64)
    ours, theirs = (m.eval().extract_feat(picture) for m in (model, relu))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_missing_or_misshapen_tensor_is_named(checkpoint, tmp_path):
    weights = torch.load(checkpoint)["state_dict"]
    weights["backbone.conv1.weight"] = torch.zeros(1)
    path = tmp_path / "damaged.pth"
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(UserError, match=r"for backbone.conv1.weight: .*32, 3, 7, 7\]\); take the"):
        load(DEMO, path)
    del weights["backbone.conv1.weight"]
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(UserError, match="missing keys.*backbone.conv1.weight"):
        load(DEMO, path)


def test_a_device_that_is_not_there_is_named(checkpoint):
    with pytest.raises(UserError, match="device cuda:99 cannot be used"):
        load(DEMO, checkpoint, "cuda:99")
