"""The exported form of a layer computes what the layer does."""

import pytest
import torch
from torch import nn

from dyrelu_pose.export.deployed import deploy
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC
from dyrelu_pose.placement import place

VARIANTS = [DyReLUA, DyReLUB, DyReLUC]


def lively(layer):
    """A layer whose coefficients follow the input."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("init", ["relu", "identity"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_layer(variant, init, k):
    layer = lively(variant(channels=12, k=k, lambda_a=0.7, lambda_b=0.3, init=init))
    x = torch.randn(3, 12, 5, 4)
    expected = layer(x)
    (deployed,) = deploy(nn.Sequential(layer))
    torch.testing.assert_close(deployed(x), expected)
    assert not list(deployed.parameters())


@pytest.mark.parametrize("variant", [DyReLUB, DyReLUC])
def test_a_norm_that_a_layer_computed_is_one_of_its_own_again(variant):
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), lively(variant(channels=8)))
    net[2].fold_norm(net, "1")
    net(2 + torch.randn(4, 3, 6, 6))  # running statistics other than 0 and 1
    net.eval()
    x = torch.randn(2, 3, 6, 6)
    expected = net(x)
    deploy(net)
    assert type(net[1]) is nn.BatchNorm2d
    torch.testing.assert_close(net(x), expected)


def test_takes_the_place_of_a_layer_under_every_name():
    net = nn.Sequential(nn.Conv2d(3, 8, 1), lively(DyReLUB(channels=8)))
    net = deploy(nn.ModuleDict(dict(all=net, last=net[1:])))
    assert net["all"][1] is net["last"][0]
    assert not isinstance(net["last"][0], DyReLUB)


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("shape", [(), (7,), (2, 5, 4)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_equals_the_layer_in_other_dimensions(variant, shape, images):
    layer = lively(variant(channels=12))
    x = torch.randn(images, 12, *shape)
    torch.testing.assert_close(deploy(layer)(x), layer(x))


class NextBlock(nn.Module):
    """As in ConvNeXt: channels last between the convolution and the shortcut."""

    def __init__(self):
        super().__init__()
        self.conv, self.act, self.back = nn.Conv2d(6, 6, 3, padding=1), nn.GELU(), nn.Linear(6, 6)

    def forward(self, x):
        y = self.conv(x).permute(0, 2, 3, 1)
        return x + self.back(self.act(y)).permute(0, 3, 1, 2)


class PreActivation(nn.Module):
    """Its shortcut reads what the activation in front of the convolution has overwritten."""

    def __init__(self):
        super().__init__()
        self.act, self.conv = nn.ReLU(inplace=True), nn.Conv2d(6, 6, 3, padding=1)

    def forward(self, x):
        return self.conv(self.act(x)) + x


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("size", [(6, 5), (6, 6)])  # as many rows as channels
@pytest.mark.parametrize("block", [NextBlock, PreActivation])
def test_does_with_its_input_what_placement_told_the_layer(block, size, images):
    net = nn.Sequential(nn.Conv2d(3, 6, 1), block()).eval()
    place(net, [dict(sites="*", act=dict(type="DyReLUB"))], (8, 10))
    lively(net[1].act)
    x = torch.randn(images, 3, *size)
    expected = net(x)
    torch.testing.assert_close(deploy(net)(x), expected)


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.bfloat16, 0.1), (torch.float16, 0.01)]
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_computes_in_the_dtype_of_the_layer(variant, dtype, tolerance, images):
    layer = variant(channels=12, init="default").to(dtype)
    x = torch.randn(images, 12, 5, 4, dtype=dtype)
    torch.testing.assert_close(deploy(layer)(x), layer(x), rtol=tolerance, atol=tolerance)


def test_stays_on_the_device_of_the_layer():
    x = torch.empty(2, 12, 5, 4, device="meta")
    assert deploy(DyReLUB(channels=12).to("meta"))(x).is_meta
