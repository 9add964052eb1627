"""A small pose model with weights on disk, and a picture to look at."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.inspection.conftest import cfg, pictures  # noqa: F401

CONFIG = "configs/demo/dyrelu_resnet18.py"


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Random weights of CONFIG's model, of DyReLU too, that tell one place from another."""
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        model.head.final_layer.weight.mul_(100)  # flat heatmaps have no certain maximum
    path = tmp_path_factory.mktemp("weights") / "model.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture
def picture():
    """(H, W, 3) bytes."""
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
