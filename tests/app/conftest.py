"""Models, and pictures to hand in."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from PIL import Image

from dyrelu_pose.app.models import PageModel
from dyrelu_pose.paths import ROOT
from tests.scripts import DEMO

TWIN = "configs/demo/resnet18.py"


@pytest.fixture(scope="session")
def relu_checkpoint(tmp_path_factory):
    """Random weights of the ReLU twin."""
    torch.manual_seed(1)
    model = MODELS.build(Config.fromfile(ROOT / TWIN).model)
    path = tmp_path_factory.mktemp("twin") / "relu.pth"
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture(scope="session")
def dynamic(checkpoint):
    """The model with DyReLU; a picture is one person."""
    return PageModel(ROOT / DEMO, checkpoint, "cpu")


@pytest.fixture(scope="session")
def twin(relu_checkpoint):
    """Its ReLU twin."""
    return PageModel(ROOT / TWIN, relu_checkpoint, "cpu")


@pytest.fixture(scope="session")
def drawn_person(people):
    """A picture file of the drawn set."""
    return sorted((people / "val").glob("*.jpg"))[0]


@pytest.fixture(scope="session")
def damaged(drawn_person, tmp_path_factory):
    """The first half of that file."""
    content = drawn_person.read_bytes()
    path = tmp_path_factory.mktemp("damaged") / "half.jpg"
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.fixture(scope="session")
def heavy(tmp_path_factory):
    """A picture file of more than a megabyte."""
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    path = tmp_path_factory.mktemp("heavy") / "heavy.png"
    Image.fromarray(noise).save(path)
    assert path.stat().st_size > 2**20
    return path
