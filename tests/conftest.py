"""Settings of every test."""

import importlib.util

import pytest
import torch
from mmengine.registry import init_default_scope

import dyrelu_pose  # noqa: F401  (lets mmpose import)

from .class_folders import image_folder  # noqa: F401

if not torch.cuda.is_available() and importlib.util.find_spec("triton"):
    # Lets Triton's kernels run on the CPU. Here, before any test module can import Triton: the
    # variable is read when a kernel is defined, also those of Triton itself, some of which the
    # first launch imports. Then it is off again, for what tests start.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRITON_INTERPRET", "1")
        from dyrelu_pose.ops.triton_kernels.passes import TRITON

        TRITON.pool(torch.ones(1, 1), None)


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
