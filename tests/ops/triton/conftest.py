"""Settings of the tests of the kernels."""

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"  # there in Triton's interpreter


@pytest.fixture(autouse=True)
def unwritten_output_is_nan():
    """Fill memory that is allocated but not written with NaN."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    yield
    torch.use_deterministic_algorithms(before)


@pytest.fixture
def blocks(request, monkeypatch):
    """Cut maps into programs as always ('default'), or so that they loop, or share a sum."""
    if request.param == "default":
        return
    from dyrelu_pose.ops.triton_kernels import blocks, hyper, norm, sites, softmax, sums

    small = dict(LARGE=256, SMALL=128, CHANNELS=4, MANY=1, FEW=1)
    if request.param == "splits":
        small.update(SPLIT=64, PART=512)
    for name, value in small.items():
        monkeypatch.setattr(blocks, name, value)
    monkeypatch.setattr(hyper, "TILE", 64)
    monkeypatch.setattr(softmax, "LARGEST", 64)
    monkeypatch.setattr(norm, "CHANNELS", 4)
    monkeypatch.setattr(norm, "SAMPLES", 2)
    monkeypatch.setattr(sums, "ROWS", 2)
    monkeypatch.setattr(sums, "COLUMNS", 8)
    monkeypatch.setattr(sites, "PLANS", type(sites.PLANS)())
