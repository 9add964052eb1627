"""The channels of a map are where they are, (N, C, *) or (N, *, C), at whichever input size."""

import pytest
import torch
from torch import nn

from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.placement import PlacementError, Site, place, probe

from .test_rereads import ACTS

C = 6
SQUARE = (C, C)  # where a height, a width and the channels are all the same
SIZES = [(8, 10), SQUARE]


class NextBlock(nn.Module):
    """As in ConvNeXt: channels last between the convolution and the shortcut."""

    def __init__(self, act=None, wide=C):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(C, C, 3, padding=1), nn.LayerNorm(C)
        self.wide, self.act = nn.Linear(C, wide), act or nn.GELU()
        self.narrow = nn.Linear(wide, C)

    def forward(self, x):
        y = self.norm(self.conv(x).permute(0, 2, 3, 1))
        return x + self.narrow(self.act(self.wide(y))).permute(0, 3, 1, 2)


class Between(nn.Module):
    """An activation between two changes of layout, which no layer tells."""

    def __init__(self, there, back):
        super().__init__()
        self.there, self.back, self.act = there, back, nn.ReLU()

    def forward(self, x):
        return self.back(self.act(self.there(x)))


def through_tokens(x):
    n, c, h, w = x.shape
    return x.flatten(2).transpose(1, 2).view(n, h, w, c)


BLOCKS = {
    "linear": lambda: NextBlock(),
    "wide": lambda: NextBlock(wide=2 * C),
    "norm": lambda: Between(
        nn.Sequential(Between(lambda x: x.permute(0, 2, 3, 1), nn.LayerNorm(C))),
        lambda x: x.permute(0, 3, 1, 2),
    ),
    "permute": lambda: Between(lambda x: x.permute(0, 2, 3, 1), lambda x: x.permute(0, 3, 1, 2)),
    "movedim": lambda: Between(lambda x: x.movedim(1, -1), lambda x: x.movedim(-1, 1)),
    "einsum": lambda: Between(
        lambda x: torch.einsum("nchw->nhwc", x), lambda x: torch.einsum("nhwc->nchw", x)
    ),
    "tokens": lambda: Between(through_tokens, lambda x: x.permute(0, 3, 1, 2)),
}


@pytest.mark.parametrize("size", SIZES, ids=["sizes differ", "all the same"])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("block", BLOCKS)
def test_true_width_and_the_function_at_other_sizes(block, act, size):
    model = nn.Sequential(nn.Conv2d(3, C, 1), BLOCKS[block]())
    placements = place(model, [dict(sites="*", act=dict(**ACTS[act], init="default"))], size)
    for placement in placements:
        site, layer = placement.site, placement.layer
        assert site.channels_last
        assert site.size == size[::-1]
        assert site.channels == layer.channels == (2 * C if block == "wide" else C)
    x = torch.randn(2, 5, 7, layer.channels, requires_grad=True)
    y = layer(x)
    layer.channels_last = False
    torch.testing.assert_close(y, layer(x.movedim(-1, 1)).movedim(1, -1))
    layer.channels_last = True
    model(torch.randn(2, 3, 9, 5)).sum().backward()


def test_the_same_layout_of_a_model_that_is_channels_first_throughout():
    model = nn.Sequential(
        Between(lambda x: x.reshape(x.shape), lambda x: x), Between(lambda x: -x, lambda x: x)
    )
    for site in probe(model, (9, 7)):
        assert (site.channels, site.size, site.channels_last) == (3, (7, 9), False)


class OneSize(nn.Sequential):
    """A model for one input size, so that another does not tell its channels."""

    def forward(self, x):
        assert x.shape[2:] == (C, C)
        return super().forward(x)


class Gated(nn.Module):
    """Squeeze-and-excitation by a layer whose channels are last."""

    def __init__(self, between):
        super().__init__()
        self.fc, self.act, self.between = nn.Linear(C, C), nn.ReLU(), between

    def forward(self, x):
        gate = self.fc(x.mean((2, 3))).sigmoid()[:, :, None, None]
        return self.act(self.between(x, gate))


@pytest.mark.parametrize(
    "between",
    [
        lambda x, gate: x * gate,
        lambda x, gate: torch.ones(C, 1, 1, device=x.device) * x + gate,
        lambda x, gate: nn.functional.pad(x, (1, 1, 1, 1)),
        lambda x, gate: x[:, :, 1:, ::2],
        lambda x, gate: x[..., :-1],
    ],
    ids=["gate", "bias", "pad", "slice", "ellipsis"],
)
def test_what_keeps_the_channels_where_they_are(between):
    (site,) = probe(OneSize(nn.Conv2d(3, C, 1), Gated(between)), SQUARE)
    assert (site.channels, site.channels_last, site.obstacle) == (C, False, None)


def test_the_same_behind_a_fully_connected_layer():
    class Block(NextBlock):
        def forward(self, x):
            y = self.wide(self.conv(x).permute(0, 2, 3, 1))
            return x + self.narrow(self.act(x.mean((2, 3))[:, None, None] * y)).movedim(-1, 1)

    (site,) = probe(OneSize(nn.Conv2d(3, C, 1), Block()), SQUARE)
    assert (site.channels, site.channels_last, site.obstacle) == (C, True, None)


def test_an_index_that_moves_channels_tells_nothing():
    moved = Between(lambda x: x[:, :, :, None].squeeze(3), lambda x: x)
    (site,) = probe(OneSize(nn.Conv2d(3, C, 1), moved), SQUARE)
    assert "cannot tell the channels" in site.obstacle


def test_what_cannot_be_told_is_refused_by_name():
    permuted = Between(lambda x: x.permute(0, 2, 3, 1), lambda x: x.permute(0, 3, 1, 2))
    model = OneSize(nn.Conv2d(3, C, 1), permuted, nn.Conv2d(C, C, 1), nn.ReLU())
    rule = dict(sites="*", act=ACTS["B"])
    with pytest.raises(
        PlacementError, match=r"1.act sees maps \(1, 6, 6, 6\) of which .* channels"
    ):
        place(model, [rule], SQUARE)
    placed = place(model, [dict(sites="1.*", act=None), rule], SQUARE)
    assert [placement.placed for placement in placed] == [None, "DyReLUB"]


def test_a_layer_for_maps_with_channels_first_is_refused():
    model = nn.Sequential(nn.Conv2d(3, C, 1), NextBlock())
    with pytest.raises(PlacementError, match="Maxout is for maps .* 1.act sees maps .N, H, W, C"):
        place(model, [dict(sites="*", act=dict(type="Maxout"))], (8, 10))
    place(model, [dict(sites="*", act=dict(type="SiLU"))], (8, 10))


def test_pending_layers_on_tokens_get_the_width_of_a_token():
    tokens = nn.Sequential(nn.Flatten(2), nn.Linear(80, 5), DyReLUB())
    place(tokens, [], (8, 10))
    assert tokens[2].channels == 5
    assert tokens(torch.randn(2, 3, 8, 10)).shape == (2, 3, 5)


# -- one and three dimensions


def line(model, images):
    return model(images.flatten(2))


def volume(model, images):
    return model(images[:, :, None].repeat(1, 1, 2, 1, 1))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("conv", "forward", "size"),
    [(nn.Conv1d, line, (80,)), (nn.Conv3d, volume, (2, 10, 8))],
    ids=["line", "volume"],
)
def test_maps_in_other_dimensions(conv, forward, size, act):
    model = nn.Sequential(conv(3, C, 1), nn.ReLU())
    relu = forward(model, images := torch.randn(2, 3, 10, 8))
    (placement,) = place(model, [dict(sites="*", act=ACTS[act])], (8, 10), forward)
    assert placement.site == Site("1", C, size, "ReLU")
    torch.testing.assert_close(forward(model, images), relu)
    forward(model, images).sum().backward()


def test_a_layer_for_planes_is_refused_in_other_dimensions():
    model = nn.Sequential(nn.Conv1d(3, C, 1), nn.ReLU())
    with pytest.raises(PlacementError, match=r"SEReLU is for maps .* 1 sees maps of size \(80,\)"):
        place(model, [dict(sites="*", act=dict(type="SEReLU"))], (8, 10), line)


# -- why there is no site


class Functional(nn.Module):
    def __init__(self, function=nn.functional.relu):
        super().__init__()
        self.conv, self.function = nn.Conv2d(3, 3, 1), function

    def forward(self, x):
        return self.function(self.conv(x))


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Functional(), "Functional calls relu as a function, .*register_split"),
        (nn.Sequential(Functional(torch.Tensor.relu_)), "0 calls relu_ as a function"),
        (
            nn.Sequential(Functional(), Functional(nn.functional.gelu)),
            r"0 calls relu as a function.* \(and 1 more\)",
        ),
        (
            nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.ReLU()),
            r"1 sees \(1, 3, 1, 1\): a site is an activation on a map",
        ),
        (nn.Sequential(nn.Conv2d(3, 3, 1)), "runs no activation module"),
        (nn.Sequential(nn.Conv1d(3, 3, 1), nn.ReLU()), "cannot be probed.*`forward`"),
    ],
    ids=["function", "method", "nested", "one position", "none", "needs another input"],
)
def test_a_model_without_sites_is_told_why(model, reason):
    with pytest.raises(PlacementError, match=reason):
        place(model, [dict(sites="*", act=ACTS["B"])], (8, 10))
    assert reason != "runs no activation module" or place(model, [], (8, 10)) == []


def test_a_pattern_for_functions_beside_modules_is_told_why():
    model = nn.ModuleDict(dict(body=nn.ReLU(), head=Functional()))
    with pytest.raises(PlacementError, match="'head.*' matches none .* head calls relu"):
        place(
            model,
            [dict(sites="head.*", act=ACTS["B"])],
            (8, 10),
            lambda model, images: model["head"](model["body"](images)),
        )


def test_an_activation_that_does_not_run_is_told_so():
    model = nn.ModuleDict(dict(body=nn.ReLU(), head=nn.ReLU()))
    with pytest.raises(PlacementError, match="head is not reached by the forward pass"):
        place(
            model,
            [dict(sites="head", act=ACTS["B"])],
            (8, 10),
            lambda model, images: model["body"](images),
        )
