"""How many kernels a layer launches, Triton's and PyTorch's together."""

import types

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from dyrelu_pose.ops import dyrelu
from tests.ops.cases import call_layer, make_layer

from .conftest import DEVICE

pytest.importorskip("triton", reason="the Triton backend needs the package triton")
from dyrelu_pose.ops.triton_kernels import library, passes
from dyrelu_pose.ops.triton_kernels.pool import pool_kernel

SITE = (2, 32, 16, 12)  # a stage of HRNet at 1/16
NO_LAUNCH = ("empty", "new_empty", "empty_like", "promote_types")
FORMATS = [torch.contiguous_format, torch.channels_last]


class Launches(TorchDispatchMode):
    """Lists what is launched: Triton's kernels, and PyTorch's operations that are no mere view."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.names = []
        # An operator hides from this mode what it does, so its function is called instead.
        functions = {
            name: getattr(library, f"_{name}", None) or getattr(library, name)
            for name in ("pool", "apply", "reduce", "grad_input", "hyper_forward", "hyper_backward")
        }
        monkeypatch.setattr(passes, "_OPS", types.SimpleNamespace(**functions))
        original = type(pool_kernel).run

        def run(kernel, *args, **kwargs):
            self.names.append(kernel.fn.__name__)
            with _disable_current_modes():  # the interpreter copies arguments
                return original(kernel, *args, **kwargs)

        monkeypatch.setattr(type(pool_kernel), "run", run)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        views = (
            r.alias_info is not None and not r.alias_info.is_write for r in func._schema.returns
        )
        if not any(views) and name not in NO_LAUNCH:
            self.names.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def launches(monkeypatch):
    return Launches(monkeypatch)


def forward_and_backward(launches, variant, memory_format):
    """Return what is launched by the forward and by the backward pass of a layer."""
    leaves, constants = make_layer(SITE, variant, hidden=8)
    leaves[0] = leaves[0].detach().to(memory_format=memory_format)
    leaves = [leaf.detach().to(DEVICE).requires_grad_() for leaf in leaves]
    grad = torch.randn_like(leaves[0])
    with launches:
        y = call_layer(dyrelu, constants, backend="triton")(*leaves)
        forward = launches.names.copy()
        torch.autograd.grad(y, leaves, grad)
    return forward, launches.names[len(forward) :]


on_formats = pytest.mark.parametrize("memory_format", FORMATS, ids=["nchw", "nhwc"])
FORWARD = ["pool_kernel", "hyper_forward_kernel", "apply_kernel"]
BACKWARD = ["reduce_kernel", "hyper_backward_kernel", "grad_input_kernel"]


@on_formats
def test_forward_pass_is_three_launches(launches, memory_format):
    assert forward_and_backward(launches, "B", memory_format)[0] == FORWARD


@on_formats
def test_backward_pass_is_three_launches(launches, memory_format):
    assert forward_and_backward(launches, "B", memory_format)[1] == BACKWARD


@on_formats
@pytest.mark.parametrize("variant", ["A", "B", "C"])
def test_each_kernel_is_launched_once(launches, variant, memory_format):
    for names, expected in zip(
        forward_and_backward(launches, variant, memory_format), (FORWARD, BACKWARD), strict=True
    ):
        assert [name for name in names if name.endswith("_kernel")] == expected
