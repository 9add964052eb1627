"""The exported form of a layer computes what the layer does."""

import pytest
import torch
from torch import nn

from dyrelu_pose.export.deployed import deploy
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC


def lively(layer):
    """A layer whose coefficients follow the input."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("init", ["relu", "identity"])
@pytest.mark.parametrize("variant", [DyReLUA, DyReLUB, DyReLUC])
def test_equals_the_layer(variant, init, k):
    layer = lively(variant(channels=12, k=k, lambda_a=0.7, lambda_b=0.3, init=init))
    x = torch.randn(3, 12, 5, 4)
    expected = layer(x)
    (deployed,) = deploy(nn.Sequential(layer))
    torch.testing.assert_close(deployed(x), expected)
    assert not list(deployed.parameters())


def test_a_norm_that_a_layer_computed_is_one_of_its_own_again():
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), lively(DyReLUB(channels=8)))
    net[2].fold_norm(net, "1")
    net(2 + torch.randn(4, 3, 6, 6))  # running statistics other than 0 and 1
    net.eval()
    x = torch.randn(2, 3, 6, 6)
    expected = net(x)
    deploy(net)
    assert type(net[1]) is nn.BatchNorm2d
    torch.testing.assert_close(net(x), expected)
