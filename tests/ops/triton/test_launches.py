"""Which kernels a site launches, in which order; benchmarks/host.py counts the rest."""

import pytest
import torch

from dyrelu_pose.ops import dyrelu
from tests.ops.cases import call_layer, make_layer

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")
from dyrelu_pose.ops.triton_kernels.pool import pool_kernel

SITE = (2, 32, 16, 12)  # a stage of HRNet at 1/16
FORMATS = [torch.contiguous_format, torch.channels_last]
FORWARD = ["pool_kernel", "hyper_forward_kernel", "apply_kernel"]
BACKWARD = ["reduce_kernel", "hyper_backward_kernel", "grad_input_kernel"]


@pytest.fixture
def launched(monkeypatch):
    """List the kernels that are launched; they do not run."""
    names = []
    monkeypatch.setattr(
        type(pool_kernel), "run", lambda kernel, *args, **kw: names.append(kernel.fn.__name__)
    )
    return names


@pytest.mark.parametrize("memory_format", FORMATS, ids=["nchw", "nhwc"])
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_each_kernel_is_launched_once(launched, variant, memory_format):
    leaves, constants = make_layer(SITE, variant, hidden=8)
    leaves[0] = leaves[0].detach().to(memory_format=memory_format)
    leaves = [leaf.detach().to(DEVICE).requires_grad_() for leaf in leaves]
    y = call_layer(dyrelu, constants, backend="triton")(*leaves)
    assert launched == FORWARD
    launched.clear()
    torch.autograd.grad(y, leaves, torch.randn_like(y))
    assert launched == BACKWARD + ["total_kernel"] * (variant == "C")
