"""The baselines: equations, where they start, gradients, and placement on a whole backbone."""

import copy
import inspect

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.registry import MODELS
from torch import nn

import dyrelu_pose  # noqa: F401  makes MMPose importable, so it comes first
from dyrelu_pose.layers import ChannelPReLU, Maxout, SEReLU
from dyrelu_pose.ops import reference
from dyrelu_pose.placement import place

from mmpose.models.backbones import MobileNetV2  # isort: skip

OURS = {
    "PReLU per channel": dict(type="ChannelPReLU"),
    "SE + ReLU": dict(type="SEReLU", reduction=2),
    "Maxout": dict(type="Maxout"),
    "Maxout, K = 3": dict(type="Maxout", k=3),
    "Maxout per channel": dict(type="Maxout", per_channel=True),
}
BASELINES = {
    "LeakyReLU": dict(type="LeakyReLU", negative_slope=0.01),
    "PReLU": dict(type="PReLU"),
    "RReLU": dict(type="RReLU"),
    "Hard-Swish": dict(type="HSwish"),
    **OURS,
}
SIZE = (32, 64)  # (W, H)

ours = pytest.mark.parametrize("act", OURS.values(), ids=OURS)
baselines = pytest.mark.parametrize("act", BASELINES.values(), ids=BASELINES)


def build(act, channels):
    return MODELS.build({**act, "channels": channels})


def perturbed(layer, seed=0):
    """Return `layer` with weights large enough that every part of it matters."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return layer


def values(shape, dtype=torch.float32, seed=0):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def test_channel_prelu():
    layer = ChannelPReLU(2)
    x = torch.tensor([-4.0, 8.0, -4.0, 8.0]).view(1, 2, 1, 2)
    assert layer(x).flatten().tolist() == [-1, 8, -1, 8]  # starts at a slope of 0.25
    with torch.no_grad():
        layer.weight[1] = 0.5
    assert layer(x).flatten().tolist() == [-1, 8, -2, 8]


def test_squeeze_excite_by_hand():
    # Means 1 and 3. FC1 = (1, 1): hidden ReLU(4 - 2) = 2. FC2: logits 2 x 0.5 - 1 = 0 and
    # 2 x 0 + ln 3: gates 1/2 and 3/4. A negative value stays zero.
    layer = SEReLU(2, reduction=2)
    weights = dict(
        fc1=([[1.0, 1.0]], [-2.0]), fc2=([[0.5], [0.0]], [-1.0, torch.tensor(3.0).log().item()])
    )
    for name, (weight, bias) in weights.items():
        getattr(layer, name).weight.data = torch.tensor(weight)
        getattr(layer, name).bias.data = torch.tensor(bias)
    x = torch.tensor([4.0, -2.0, 2.0, 4.0]).view(1, 2, 1, 2)
    expected = torch.tensor([2.0, 0.0, 1.5, 3.0]).view(1, 2, 1, 2)
    torch.testing.assert_close(layer(x), expected)


def test_squeeze_excite_pools_its_own_input_not_relus():
    layer = perturbed(SEReLU(4, reduction=2))
    x = values((2, 4, 3, 5))
    torch.testing.assert_close(layer(x), layer.gate(x)[..., None, None] * x.relu())
    assert not torch.allclose(layer.gate(x), layer.gate(x.relu()))


WIDTHS = [(64, 16, 4), (64, 4, 16), (8, 16, 1)]


@pytest.mark.parametrize(("channels", "reduction", "hidden"), WIDTHS)
def test_squeeze_excite_width(channels, reduction, hidden):
    layer = SEReLU(channels, reduction=reduction)
    assert layer.fc1.weight.shape == (hidden, channels)
    assert layer.fc2.weight.shape == (channels, hidden)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_maxout_computes_the_equation(k):
    layer = perturbed(Maxout(6, k=k))
    x = values((2, 6, 3, 5))
    maps = [
        torch.einsum("dc,nchw->ndhw", layer.weight[:, i], x) + layer.bias[:, i, None, None]
        for i in range(k)
    ]
    torch.testing.assert_close(layer(x), torch.stack(maps).amax(0))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_maxout_per_channel_is_dyrelu_b_with_fixed_coefficients(k):
    layer = perturbed(Maxout(6, k=k, per_channel=True))
    x = values((2, 6, 3, 5))
    a, b = (c.expand(2, 6, k) for c in (layer.weight.squeeze(2), layer.bias))
    torch.testing.assert_close(layer(x), reference.dyrelu_given(x, a, b))


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("k", [2, 3])
def test_maxout_starts_as_relu_with_its_gradient(k, per_channel):
    x = values((2, 6, 3, 5))
    x[0, :, 0] = 0  # where the branches tie
    x.requires_grad_()
    grad = values(x.shape, seed=1)
    y = Maxout(6, k=k, per_channel=per_channel)(x)
    assert torch.equal(y, x.relu())
    ours, theirs = (torch.autograd.grad(out, x, grad)[0] for out in (y, x.relu()))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("layer", "option"), [(Maxout, "k"), (SEReLU, "reduction")])
@pytest.mark.parametrize(("channels", "value"), [(0, 2), (8, 0)])
def test_refuses_what_cannot_be(layer, option, channels, value):
    with pytest.raises(ValueError, match=rf"{layer.__name__}: \w+ must be a whole number from 1"):
        layer(channels, **{option: value})


@ours
def test_gradcheck(act):
    layer = perturbed(build(act, 4)).double()
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def run(x, *values):
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), x)

    x = values((2, 4, 3, 2), torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(run, (x, *(p.detach().requires_grad_() for p in parameters)))


@ours
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_keeps_shape_dtype_and_memory_format(act, dtype):
    layer = perturbed(build(act, 8)).to(dtype)
    x = values((2, 8, 5, 3), dtype).to(memory_format=torch.channels_last)
    assert layer(x).dtype == dtype
    assert layer(x).shape == x.shape
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
    tolerance = 1e-5 if dtype == torch.float32 else 0.1
    torch.testing.assert_close(layer(x), layer(x.contiguous()), rtol=0, atol=tolerance)


@ours
def test_a_parents_init_weights_leaves_it_alone(act):
    every = dict(type="Constant", val=7, bias=7, layer=["Conv2d", "Linear", "_BatchNorm"])
    parent = BaseModule(init_cfg=every)
    parent.conv, parent.act = nn.Conv2d(3, 8, 1), build(act, 8)
    before = copy.deepcopy(parent.act.state_dict())
    parent.init_weights()
    assert (parent.conv.weight == 7).all()
    assert all(torch.equal(before[name], value) for name, value in parent.act.state_dict().items())


def backbone(act=None):
    torch.manual_seed(0)
    model = MobileNetV2(widen_factor=0.25)
    if act is not None:
        placed = place(model, [dict(sites="*", act=act)], SIZE)
        assert len(placed) == 35
    return model


@baselines
def test_placed_in_a_backbone_it_trains_saves_and_loads(act):
    model = backbone(act)
    kind = MODELS.get(act["type"])
    layers = [module for module in model.modules() if isinstance(module, kind)]
    assert len(layers) == 35
    if "channels" in inspect.signature(kind).parameters:
        assert model.conv2.activate(torch.zeros(1, 1280, 2, 1)).shape == (1, 1280, 2, 1)

    images = values((2, 3, SIZE[1], SIZE[0]))
    model(images)[-1].square().mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    perturbed(model)

    model.eval()
    other = backbone(act)
    other.load_state_dict(model.state_dict())
    other.eval()
    assert torch.equal(model(images)[-1], other(images)[-1])


@baselines
def test_weights_of_the_original_load_behind_it(act):
    backbone(act).load_state_dict(backbone().state_dict(), strict=True)
