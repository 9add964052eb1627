"""Tracing, exporting and function transforms take a model with DyReLU as its ReLU twin."""

import copy
import io
import warnings

import pytest
import torch
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import prepare_fx
from torch.autograd import forward_ad

from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement import place

ACTS = [dict(type="DyReLUA"), dict(type="DyReLUB", k=3), dict(type="DyReLUC")]
CASES = [
    pytest.param(act, inplace, fuse_norm, id=f"{act['type']}{name}")
    for act in ACTS
    for inplace, fuse_norm, name in (
        (False, False, ""),
        (True, False, " in place"),
        (True, True, " with its norm"),
    )
]


class Block(nn.Module):
    """A residual block, which adds in place as MMPose's do."""

    def __init__(self, inplace):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.act = nn.ReLU(inplace=inplace)

    def forward(self, x):
        out = self.norm(self.conv(x))
        out += x
        return self.act(out)


def network(act, inplace, fuse_norm):
    """A trained network of two sites, the second behind a residual addition, in evaluation."""
    first = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=inplace)]
    model = nn.Sequential(*first, Block(inplace))
    rule = dict(sites="*", act=dict(init="default", **act), fuse_norm=fuse_norm)
    place(model, [rule], (16, 16))
    model(1 + torch.randn(4, 3, 16, 16))  # running statistics other than 0 and 1
    return model.eval()


def other_input():
    """Another batch and another map than what is traced with."""
    return torch.randn(3, 3, 24, 20)


@pytest.mark.parametrize("recorded", [True, False], ids=["autograd", "no autograd"])
@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_a_trace_is_saved_and_computes_the_same_at_other_sizes(act, inplace, fuse_norm, recorded):
    model, file = network(act, inplace, fuse_norm), io.BytesIO()
    with torch.set_grad_enabled(recorded), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("error", torch.jit.TracerWarning)
        torch.jit.save(torch.jit.trace(model, torch.randn(1, 3, 16, 16)), file)
        file.seek(0)
        loaded = torch.jit.load(file)
        x = other_input()
        torch.testing.assert_close(loaded(x.clone()), model(x.clone()))


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act["type"])
def test_the_older_exporter_to_onnx_leaves_the_batch_free(act, tmp_path):
    runtime = pytest.importorskip("onnxruntime", reason="needs the package onnxruntime")
    model, file = network(act, False, False), str(tmp_path / "model.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.randn(1, 3, 16, 16),), file, dynamo=False, input_names=["x"],
            dynamic_axes={"x": {0: "N"}},
        )  # fmt: skip
    x = torch.randn(3, 3, 16, 16)
    (y,) = runtime.InferenceSession(file).run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.from_numpy(y), model(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("recorded", [True, False], ids=["autograd", "no autograd"])
@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_an_exported_program_computes_and_trains_as_the_model(act, inplace, fuse_norm, recorded):
    model = network(act, inplace, fuse_norm)
    free = torch.export.Dim.AUTO
    with torch.set_grad_enabled(recorded):
        program = torch.export.export(
            model, (torch.randn(2, 3, 16, 16),), dynamic_shapes=({0: free, 2: free, 3: free},)
        ).module()
    x = other_input()
    torch.testing.assert_close(program(x.clone()), model(x.clone()))
    if recorded:
        expected, actual = (
            torch.autograd.grad(each(x.clone()).square().sum(), list(each.parameters()))
            for each in (model, program)
        )
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_transforms_of_functions_see_plain_operations(act, inplace, fuse_norm):
    model, x = network(act, inplace, fuse_norm), other_input()
    twin = network({**act, "backend": "reference"}, False, False)
    twin.load_state_dict(model.state_dict())
    each = torch.func.vmap(model)(x[:, None].clone())[:, 0]
    torch.testing.assert_close(each, twin(x))
    x.requires_grad_()
    (expected,) = torch.autograd.grad(twin(x).square().sum(), x)
    actual = torch.func.grad(lambda x: model(x.clone()).square().sum())(x.detach())
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    direction = torch.randn_like(x)
    _, tangent = torch.func.jvp(
        lambda x: model(x.clone()).square().sum(), (x.detach(),), (direction,)
    )
    torch.testing.assert_close(tangent, (expected * direction).sum(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "trained"])
@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_forward_mode_differentiates_it(act, inplace, fuse_norm, frozen):
    model = network(act, inplace, fuse_norm).requires_grad_(not frozen)
    x, direction = other_input(), other_input()
    twin = network({**act, "backend": "reference"}, False, False)
    twin.load_state_dict(model.state_dict())
    _, expected = torch.func.jvp(twin, (x,), (direction,))
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(model(forward_ad.make_dual(x, direction))).tangent
    torch.testing.assert_close(tangent, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_layers_are_leaves_of_an_fx_graph(act, inplace, fuse_norm):
    model = network(act, inplace, fuse_norm)
    graph = copy.deepcopy(torch.fx.symbolic_trace(model))
    called = {
        type(graph.get_submodule(n.target)) for n in graph.graph.nodes if n.op[5:] == "module"
    }
    assert any(issubclass(kind, DyReLU) for kind in called)
    assert graph.state_dict().keys() == model.state_dict().keys()
    x = other_input()
    torch.testing.assert_close(graph(x.clone()), model(x.clone()))
    model.double()
    torch.testing.assert_close(graph.double()(x.double()), model(x.double()))


@pytest.mark.parametrize(("act", "inplace", "fuse_norm"), CASES)
def test_prepare_fx_leaves_layers_in_float(act, inplace, fuse_norm):
    model, x = network(act, inplace, fuse_norm), other_input()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepared = prepare_fx(
            copy.deepcopy(model), get_default_qconfig_mapping(), (torch.randn(1, 3, 16, 16),)
        )
    torch.testing.assert_close(prepared(x.clone()), model(x.clone()))
    assert sum(isinstance(module, DyReLU) for module in prepared.modules()) == 2
