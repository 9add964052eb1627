"""Settings of every test."""

import pytest
import torch
from mmengine.registry import init_default_scope

import dyrelu_pose  # noqa: F401  (lets mmpose import)


@pytest.fixture(scope="session", autouse=True)
def mmpose_scope():
    """Look names up as MMPose's tools do."""
    init_default_scope("mmpose")


@pytest.fixture(autouse=True)
def fixed_seed():
    """Draw the same random numbers in every run, whatever ran before."""
    torch.manual_seed(0)
