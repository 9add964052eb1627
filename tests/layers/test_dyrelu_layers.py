"""The layers: identities, the specification, shapes, precision, compile, and what they refuse."""

import copy
import math

import pytest
import torch
from mmcv.cnn import ConvModule, build_activation_layer
from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import nn

from dyrelu_pose import DyReLUA, DyReLUB, DyReLUC
from dyrelu_pose.layers import ChannelPReLU, Maxout, SEReLU
from dyrelu_pose.ops import reference

VARIANTS = [DyReLUA, DyReLUB, DyReLUC]


def perturbed(layer, seed=0):
    """Return `layer` with weights large enough that every part of it matters."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return layer


def expected(layer, x):
    """Compute the layer's output from the specification, in float64."""
    x = x.double()
    weights = {name: value.double() for name, value in layer.state_dict().items()}
    k, lambda_a, lambda_b, rest = layer.ranges
    s = x.flatten(2).mean(2) if x.dim() > 2 else x
    hidden = (s @ weights["fc1.weight"].T + weights["fc1.bias"]).relu()
    theta = hidden @ weights["fc2.weight"].T + weights["fc2.bias"]
    delta = 2 * theta.sigmoid() - 1
    delta = delta.view(len(x), 1 if isinstance(layer, DyReLUA) else x.shape[1], 2 * k)
    alpha = torch.tensor([1.0] + [rest] * (k - 1), dtype=torch.float64)
    a, b = alpha + lambda_a * delta[..., :k], lambda_b * delta[..., k:]
    if not isinstance(layer, DyReLUC):
        return reference.dyrelu_given(x, a, b)
    tau, gamma, cap = layer.map
    z = torch.einsum("nc...,c->n...", x, weights["spatial.weight"][0])
    e = (z / tau).exp().view(len(x), -1)
    pi = (gamma * e / e.mean(1, keepdim=True)).clamp(max=cap)
    return reference.dyrelu_given(x, a, b, pi.view(len(x), 1, *x.shape[2:]))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("init", ["relu", "identity"])
@pytest.mark.parametrize(
    "shape", [(3, 12), (2, 12, 7), (2, 12, 5, 9), (1, 12, 6, 4), (1, 12, 1, 1)], ids=str
)
def test_computes_the_specification(variant, k, init, shape):
    layer = perturbed(variant(12, reduction=4, k=k, init=init))
    x = torch.randn(shape)
    y = layer(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, expected(layer, x).float(), rtol=1e-5, atol=1e-5)


def test_map_does_not_need_channels_that_divide_the_positions():
    # A port that views the one-channel map as (N, C, -1) fails here: 15 positions, 4 channels.
    layer = perturbed(DyReLUC(4))
    x = torch.randn(2, 4, 5, 3) * 30
    pi = layer.spatial_map(x)
    assert pi.shape == (2, 1, 5, 3)
    torch.testing.assert_close(layer(x).double(), expected(layer, x), rtol=1e-4, atol=1e-4)
    assert pi.max() == 1  # the cap is reached, so tau and gamma are used


@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB])
def test_starts_as_relu_with_its_gradient(variant):
    x = torch.randn(2, 16, 5, 4, requires_grad=True)
    grad = torch.randn(2, 16, 5, 4)
    y = variant(16)(x)
    assert torch.equal(y, x.relu())
    # What the mean adds to the gradient is zero: FC2 is.
    ours, theirs = (torch.autograd.grad(out, x, grad)[0] for out in (y, x.relu()))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (5, 3), (1, 1), (64, 48)])
def test_c_with_a_flat_map(height, width):
    x = torch.randn(2, 8, height, width)
    assert torch.equal(DyReLUC(8, gamma=1.0, cap=3.0)(x), x.relu())
    torch.testing.assert_close(DyReLUC(8)(x), x.relu() / 3)


def test_c_rescaled_is_three_times_the_papers():
    ours, papers = DyReLUC(8, gamma=1.0, cap=3.0), perturbed(DyReLUC(8))
    ours.load_state_dict(papers.state_dict())
    x = torch.randn(2, 8, 6, 5) * 20
    torch.testing.assert_close(ours(x), 3 * papers(x))


def test_k1_is_affine():
    layer = perturbed(DyReLUB(6, k=1))
    x = torch.randn(2, 6, 4, 4)
    a, b = (c[..., 0, None, None] for c in layer.coefficients(x))
    torch.testing.assert_close(layer(x), a * x + b)


@pytest.mark.parametrize("shape", [(3, 12), (2, 12, 5, 9)], ids=str)
def test_hidden_layer_of_what_forward_takes(shape):
    layer, x = perturbed(DyReLUB(12, reduction=2)), torch.randn(shape)
    s = x.flatten(2).mean(2) if x.dim() > 2 else x
    torch.testing.assert_close(layer.hidden(x), (s @ layer.fc1.weight.T + layer.fc1.bias).relu())


def test_a_is_b_with_tied_coefficients():
    a, b = perturbed(DyReLUA(6, reduction=2)), DyReLUB(6, reduction=2)
    b.fc1.load_state_dict(a.fc1.state_dict())
    with torch.no_grad():
        b.fc2.weight.copy_(a.fc2.weight.repeat(6, 1))
        b.fc2.bias.copy_(a.fc2.bias.repeat(6))
    x = torch.randn(3, 6, 4, 5)
    torch.testing.assert_close(a(x), b(x))


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradcheck(variant):
    layer = perturbed(variant(4, reduction=2)).double()
    x = torch.randn(2, 4, 3, 2, dtype=torch.float64, requires_grad=True)
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), x)

    assert torch.autograd.gradcheck(run, (x, *(p.detach().requires_grad_() for p in parameters)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_parameter_learns(variant):
    layer = variant(8)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    start = copy.deepcopy(layer.state_dict())
    for _ in range(3):  # at the start FC2 is zero, so FC1 moves from the second step
        optimizer.zero_grad()
        (layer(torch.randn(4, 8, 6, 6)) - 1).square().sum().backward()
        optimizer.step()
    assert all(not torch.equal(start[name], value) for name, value in layer.state_dict().items())


@pytest.mark.parametrize("variant", VARIANTS)
def test_batch_of_one_equals_its_row_in_a_batch(variant):
    layer = perturbed(variant(8))
    x = torch.randn(5, 8, 6, 6)
    torch.testing.assert_close(layer(x)[2:3], layer(x[2:3]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_keeps_channels_last(variant):
    x = torch.randn(2, 8, 6, 5).to(memory_format=torch.channels_last)
    layer = perturbed(variant(8))
    assert layer(x).stride() == x.stride()
    torch.testing.assert_close(layer(x), layer(x.contiguous()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_autocast_computes_coefficients_and_map_in_float32(variant):
    layer = perturbed(variant(8))
    x = torch.randn(2, 8, 6, 5).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
        assert layer.coefficients(x)[0].dtype == torch.float32
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.double(), expected(layer, x), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
@pytest.mark.parametrize("compiler", [None, "aot_eager"], ids=["eager", "compiled"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_autocast_computes_gradients_in_float32(variant, compiler, inside):
    layer, (x, grad) = perturbed(variant(8, reduction=2)), torch.randn(2, 3, 8, 6, 5)
    expected = torch.autograd.grad(layer(x), list(layer.parameters()), grad)
    if compiler:
        layer = torch.compile(layer, backend=compiler)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = layer(x)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=inside):
            actual = torch.autograd.grad(y, list(layer.parameters()), grad)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_runs_on_the_meta_device(variant):
    with torch.device("meta"):
        layer, x = variant(channels=8), torch.empty(2, 8, 4, 3, requires_grad=True)
    y = layer(x)
    assert y.is_meta
    assert y.shape == x.shape
    y.sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("variant", VARIANTS)
def test_half_model_runs(variant):
    layer = perturbed(variant(8)).bfloat16()
    layer(torch.randn(2, 8, 6, 5, dtype=torch.bfloat16)).sum().backward()
    assert layer.fc1.weight.grad.dtype == torch.bfloat16


@pytest.mark.parametrize("variant", VARIANTS)
def test_compiles_without_graph_breaks(variant):
    layer = perturbed(variant(8))
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 8, 6, 5, requires_grad=True)
    y, ours = layer(x), compiled(x)
    torch.testing.assert_close(ours, y)
    grads = (torch.autograd.grad(out.square().sum(), x)[0] for out in (ours, y))
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize("variant", VARIANTS)
def test_zero_batch(variant):
    assert variant(8)(torch.zeros(0, 8, 3, 3)).shape == (0, 8, 3, 3)


@pytest.mark.parametrize("name", ["DyReLUA", "DyReLUB", "DyReLUC"])
def test_is_registered(name):
    layer = MODELS.build(dict(type=name, channels=64))
    assert type(layer).__name__ == name
    assert layer.channels == 64
    built = build_activation_layer(dict(type=name, channels=8, inplace=True))
    assert type(built).__name__ == name


def test_default_reductions_are_the_papers():
    assert [v(64).fc1.weight.shape[0] for v in VARIANTS] == [64 // 4, 64 // 8, 64 // 4]
    assert DyReLUB(4, reduction=8).fc1.weight.shape[0] == 1  # never zero


@pytest.mark.parametrize("backend", ["eager", "reference"])
@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_identity_at_the_start(variant, k, backend):
    layer, x = variant(12, k=k, init="identity", backend=backend), torch.randn(2, 12, 5, 4)
    assert torch.equal(layer(x), x)
    a, b = layer.coefficients(x)
    assert a.eq(1).all()
    assert b.eq(0).all()
    assert layer.state_dict().keys() == variant(12, k=k).state_dict().keys()


def test_c_starts_as_the_identity_only_where_its_map_is_one():
    x = torch.randn(2, 12, 5, 4)
    assert torch.equal(DyReLUC(12, init="identity", gamma=1.0, cap=3.0)(x), x)
    torch.testing.assert_close(DyReLUC(12, init="identity")(x), x / 3)


def test_default_init_is_that_of_linear_layers():
    layer = DyReLUB(64, init="default")
    assert 0.2 < layer.fc2.weight.abs().max() <= 1 / 8**0.5
    assert not torch.equal(layer(x := torch.randn(2, 64, 3, 3)), x.relu())


@pytest.mark.parametrize("variant", VARIANTS)
def test_reset_of_every_module_is_that_of_the_layer(variant):
    layer = perturbed(variant(8, gamma=1.0, cap=3.0) if variant is DyReLUC else variant(8))
    for module in layer.modules():  # the layer first, as FSDP and many training scripts do
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    assert layer.fc1.weight.any()
    assert torch.equal(layer(x := torch.randn(2, 8, 5, 4)), x.relu())


class Parent(BaseModule):
    def __init__(self):
        super().__init__(
            init_cfg=dict(type="Constant", layer=["Conv2d", "Linear", "Conv1d"], val=5, bias=5)
        )
        self.conv = nn.Conv2d(3, 8, 1)
        self.act = nn.Sequential(DyReLUC(8, init="default"))


def test_init_weights_of_a_parent_leaves_it_alone():
    parent = Parent()
    before = copy.deepcopy(parent.act.state_dict())
    parent.init_weights()
    assert parent.conv.weight.eq(5).all()
    for name, value in parent.act.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_pending_layer_in_a_conv_module():
    block = ConvModule(3, 8, 1, act_cfg=dict(type="DyReLUB", reduction=2))
    with pytest.raises(RuntimeError, match="DyReLUB was built without `channels`"):
        block(torch.randn(1, 3, 4, 4))
    block.activate.materialize(8)
    assert block(torch.randn(1, 3, 4, 4)).shape == (1, 8, 4, 4)
    with pytest.raises(RuntimeError, match="already has 8 channels"):
        block.activate.materialize(8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(k=0), "DyReLUC: k must be a whole number from 1, got 0"),
        (dict(k=True), "k must be a whole number from 1, got True"),
        (dict(reduction=0), "reduction must be a whole number from 1, got 0"),
        (dict(reduction=2.5), "reduction must be a whole number from 1, got 2.5"),
        (dict(reduction="4"), "reduction must be a whole number from 1, got '4'"),
        (dict(lambda_a=math.nan), "lambda_a must be a finite number from 0, got nan"),
        (dict(lambda_b="a"), "lambda_b must be a finite number from 0, got 'a'"),
        (dict(lambda_b=-0.5), "lambda_b must be a finite number from 0, got -0.5"),
        (dict(init="zeros"), "init must be one of .*'identity'.*, got 'zeros'"),
        (dict(tau=0.0), "DyReLUC: tau must be a finite number above 0, got 0.0"),
        (dict(gamma=math.inf), "gamma must be a finite number above 0, got inf"),
        (dict(cap="1"), "cap must be a finite number above 0, got '1'"),
    ],
)
def test_refuses_options(options, message):
    with pytest.raises(ValueError, match=message):
        DyReLUC(8, **options)


@pytest.mark.parametrize(
    "layer", [DyReLUA, DyReLUB, DyReLUC, ChannelPReLU, Maxout, SEReLU], ids=lambda cls: cls.__name__
)
def test_takes_no_option_by_position(layer):  # 8 would be R for one, tau for another
    with pytest.raises(TypeError, match="positional argument"):
        layer(64, 8)


def test_refuses_an_input_of_another_width():
    with pytest.raises(ValueError, match=r"DyReLUB has 8 channels, got an input of shape \(2, 6"):
        DyReLUB(8)(torch.zeros(2, 6, 3, 3))


@pytest.mark.parametrize("layer", [DyReLUA, DyReLUB, DyReLUC], ids=lambda cls: cls.__name__)
def test_refuses_a_map_without_positions_but_takes_an_empty_batch(layer):
    with pytest.raises(ValueError, match=r"shape \(2, 8, 0, 4\) has none: the image is too small"):
        layer(8)(torch.zeros(2, 8, 0, 4))
    assert layer(8)(torch.zeros(0, 8, 3, 4)).shape == (0, 8, 3, 4)
