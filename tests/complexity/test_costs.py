"""What activation layers cost, against numbers worked out by hand."""

import pytest
from torch import nn

from dyrelu_pose.complexity import Cost, has_own_cost, own_cost
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC, Maxout, SEReLU

# A map of 8 channels and 6 x 5 positions has 240 elements.
CASES = [
    # FC1 8 -> 2 is 16, FC2 2 -> 2K = 4 is 8; K = 2 per element
    (DyReLUA(8, reduction=4), Cost(pool=240, hyper=16 + 8, apply=480)),
    # FC2 2 -> 2KC = 32 is 64
    (DyReLUB(8, reduction=4), Cost(pool=240, hyper=16 + 64, apply=480)),
    # K = 3: FC2 2 -> 48
    (DyReLUB(8, reduction=4, k=3), Cost(pool=240, hyper=16 + 96, apply=720)),
    # C / R is 1 at least: FC1 8 -> 1, FC2 1 -> 32
    (DyReLUB(8, reduction=64), Cost(pool=240, hyper=8 + 32, apply=480)),
    # 240 for the convolution to one channel, 4 x 30 for the softmax, 240 for the product
    (DyReLUC(8, reduction=4), Cost(pool=240, hyper=16 + 64, spatial=240 + 120 + 240, apply=480)),
    # FC2 2 -> 8 is 16; the gate is one product per element
    (SEReLU(8, reduction=4), Cost(pool=240, hyper=16 + 16, apply=240)),
    # two convolutions 8 -> 8 at 30 positions
    (Maxout(8, k=2), Cost(apply=2 * 64 * 30)),
    (Maxout(8, k=2, per_channel=True), Cost(apply=2 * 240)),
]


@pytest.mark.parametrize(("layer", "expected"), CASES, ids=lambda case: type(case).__name__)
def test_cost_by_hand(layer, expected):
    assert has_own_cost(layer)
    assert own_cost(layer, (1, 8, 6, 5)) == expected


@pytest.mark.parametrize("layer", [DyReLUB(8), DyReLUC(8)], ids=["B", "C"])
def test_channels_that_come_last_cost_the_same(layer):
    expected = own_cost(layer, (1, 8, 6, 5))
    layer.channels_last = True
    assert own_cost(layer, (1, 6, 5, 8)) == expected


def test_batch_does_not_count():
    layer = DyReLUB(8)
    assert own_cost(layer, (7, 8, 6, 5)) == own_cost(layer, (1, 8, 6, 5))


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Hardswish(), nn.PReLU(8), nn.Conv2d(8, 8, 1)])
def test_others_have_none(layer):
    assert not has_own_cost(layer)
    with pytest.raises(TypeError, match=type(layer).__name__):
        own_cost(layer, (1, 8, 6, 5))
