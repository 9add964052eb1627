"""A small estimator with ReLU, DyReLU-B with and without a folded norm, and DyReLU-C with one."""

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.inspection import choose_sites, collect, find_sites, load_trained, samples
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.paths import ROOT

KEPT, FOLDED, PLAIN = "backbone.relu", "backbone.layer1.0.relu1", "backbone.layer2.0.relu1"
SPATIAL = "head.stages.0.1.conv.0.activate"


def load_with_sites(cfg, checkpoint):
    """The model of a config with its weights, and its sites."""
    model = load_trained(cfg, checkpoint)
    return model, find_sites(model, input_size_of(cfg))


@pytest.fixture(scope="session")
def cfg():
    """The demo's config, narrower, with one rule for each kind of site."""
    cfg = Config.fromfile(ROOT / "configs/demo/dyrelu_resnet18.py")
    cfg.merge_from_dict(
        {
            "model.backbone.stem_channels": 8,
            "model.backbone.base_channels": 8,
            "model.head.in_channels": 64,
            "model.head.stages": ((16,), (8,), (8,)),
            "model.dyrelu": [
                dict(sites=KEPT, act=None),
                dict(sites=FOLDED, act=dict(type="DyReLUB"), fuse_norm=True),
                dict(sites="backbone.*", act=dict(type="DyReLUB")),
                dict(sites="head.*", act=dict(type="DyReLUC"), fuse_norm=True),
            ],
        }
    )
    return cfg


@pytest.fixture(scope="session")
def checkpoint(cfg, tmp_path_factory):
    """Weights with which every DyReLU follows the image, and norms do something."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    for module in model.modules():
        if isinstance(module, DyReLU):
            module.init = "default"
            module.reset_parameters()
            nn.init.constant_(module.fc1.bias, 0.5)  # no dead units
            nn.init.normal_(module.fc2.weight, std=0.5)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
    path = tmp_path_factory.mktemp("weights") / "dyrelu.pth"
    torch.save({"state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="session")
def relu_checkpoint(cfg, tmp_path_factory):
    """Weights of the ReLU twin."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "relu.pth"
    torch.save({"state_dict": MODELS.build({**cfg.model, "dyrelu": []}).state_dict()}, path)
    return path


@pytest.fixture(scope="session")
def collected(cfg, checkpoint, pictures):
    """Records by the names of their sites, all of them sampled, and the pictures."""
    model, sites = load_with_sites(cfg, checkpoint)
    chosen = choose_sites(model, sites, ["*"])
    records, inputs = collect(model, sites, chosen, samples(cfg, [pictures], 64), batch_size=2)
    return {record.site.name: record for record in records}, inputs
