"""Settings of every test."""

import gc
import importlib.util

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from PIL import Image

import dyrelu_pose  # noqa: F401  (lets mmpose import)

from . import class_folders
from .scripts import DEMO, run

if not torch.cuda.is_available() and importlib.util.find_spec("triton"):
    # Lets Triton's kernels run on the CPU. Here, before any test module can import Triton: the
    # variable is read when a kernel is defined, also those of Triton itself, some of which the
    # first launch imports. Then it is off again, for what tests start.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRITON_INTERPRET", "1")
        from dyrelu_pose.ops.triton_kernels.passes import TRITON

        TRITON.pool(torch.ones(1, 1), None)


def pytest_collection_modifyitems(items):
    """Start long files first: `make test` hands files out in this order."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish():
    """Keep what is imported by now out of garbage collections, which MMEngine's data sets start."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def mmpose_scope():
    """Look names up as MMPose's tools do."""
    init_default_scope("mmpose")


@pytest.fixture(autouse=True)
def fixed_seed():
    """Draw the same random numbers in every run, whatever ran before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Two drawn people to train on and two to test with."""
    from dyrelu_pose.prepare.people.write import Parameters, make_dataset

    folder = tmp_path_factory.mktemp("people") / "set"
    make_dataset(folder, Parameters(train=2, val=2, seed=0, width=120, height=160))
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """Drawn people as `make demo` has them, fewer."""
    folder = tmp_path_factory.mktemp("data") / "synthetic"
    run("tools/make_synthetic_coco.py", folder, "--train", 24, "--val", 8, "--workers", 1)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Random weights of DEMO's model, of DyReLU too, that tell one place from another."""
    from mmpose.registry import MODELS

    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(DEMO).model)
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


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory):
    """A folder of images per class, for training and for validation."""
    root = tmp_path_factory.mktemp("images")
    class_folders.write(root)
    return root


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of five pictures, the first of them red, and a file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(5):
        pixels = np.full((40, 60, 3), (255, 0, 0) if i == 0 else random.integers(0, 256, 3))
        noise = random.integers(-40, 40, pixels.shape) if i else 0
        Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder
