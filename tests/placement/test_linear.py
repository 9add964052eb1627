"""Linear sites: which outputs are some, that rules have to ask for them, and that nothing moves."""

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from dyrelu_pose.layers import DyReLUA, DyReLUB
from dyrelu_pose.models import InvertedResidualHead
from dyrelu_pose.placement import PlacementError, format_sites, place, probe, with_linear

from .conftest import BACKBONES, assert_same

B = dict(type="DyReLUB", reduction=4)
LINEAR = dict(sites="*", act=B, linear=True)
SIZE = (8, 6)
# The depthwise convolutions of ShuffleNets and LiteHRNet have no activation, as projections.
EXPECTED = dict(
    mobilenetv2=17,
    mobilenetv3=11,
    vipnas_mobilenetv3=21,
    shufflenetv1=16,
    shufflenetv2=19,
    litehrnet=2,
    litehrnet_naive=11,
    litehrnet_unfused=2,
    cpm=2,  # the heatmaps of its first stage, which the second reads, and the last ones
    hourglass_ae=1,
)


def linear(model, input_size, forward=None):
    return [site for site in probe(model, input_size, forward, linear=True) if site.linear]


def run(model, images):
    return model(images, None, mode="tensor")


@pytest.mark.parametrize("name", BACKBONES)
def test_linear_sites_of_a_backbone(build, input_size, name):
    model = build(name)
    sites = probe(model, input_size, linear=True)
    assert sum(site.linear for site in sites) == EXPECTED.get(name, 0)
    activations = [(site, site.norm) for site in sites if not site.linear]
    assert activations == [(site, site.norm) for site in probe(model, input_size)]


def test_names_and_widths_of_projections(build, input_size):
    first, second, *_ = linear(build("mobilenetv2"), input_size)
    assert (first.name, first.channels, first.size, first.kind) == (
        "backbone.layer1.0.conv.1.project", 8, (48, 32), "linear",
    )  # fmt: skip
    assert first.norm == "backbone.layer1.0.conv.1.bn"
    assert second.name == "backbone.layer2.0.conv.2.project"
    assert linear(build("mobilenetv3"), input_size)[0].name == "backbone.layer1.linear_conv.project"


def test_light_head():
    head = InvertedResidualHead(8, 5, stages=((8, 8), (8,)))
    sites = linear(head, SIZE, lambda head, x: head((x.new_zeros(1, 8, 3, 4),)))
    assert [site.name for site in sites] == [
        f"stages.{place}.project" for place in ("0.1.conv.1", "0.2.conv.2", "1.1.conv.2")
    ]


class Net(nn.Module):
    """A convolution without activation whose output goes through `use`."""

    def __init__(self, use, **options):
        super().__init__()
        options = dict(norm_cfg=dict(type="BN"), act_cfg=None) | options
        self.first = ConvModule(3, 4, 3, padding=1, **options)
        self.last = nn.Conv2d(4, 5, 1)
        self.act = nn.PReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.use = use

    def forward(self, x):
        return self.use(self, self.first(x))


def add_in_place(net, x):
    y = torch.ones(x.shape)
    y += x
    return net.last(y)


def activated_in_place(net, x):
    y = torch.zeros(x.shape)
    y += x
    return net.last(net.act(y))


@pytest.mark.parametrize(
    ("use", "is_site"),
    [
        (lambda net, x: net.last(x), True),
        (lambda net, x: net.last(x + 1), True),
        (lambda net, x: net.last(net.norm(x)), True),
        (lambda net, x: net.last(nn.functional.interpolate(x, scale_factor=2)), True),
        (lambda net, x: net.last(torch.cat(x.chunk(2, 1), 1)), True),
        (lambda net, x: net.fc(net.pool(x).flatten(1)), True),
        (lambda net, x: net.fc(x.mean((2, 3))), True),
        (add_in_place, True),
        (lambda net, x: x, False),
        (lambda net, x: (net.last(x), [x]), False),
        (lambda net, x: net.last(x) + x.sum(), False),
        (lambda net, x: net.last(net.act(x)), False),
        (lambda net, x: net.last(net.act(x + 1)), False),
        (lambda net, x: net.last(net.act(net.norm(x))), False),
        (lambda net, x: net.last(net.act(x)) + net.last(x), False),
        (lambda net, x: net.last(nn.functional.relu(x)), False),
        (lambda net, x: net.last(x.sigmoid() * x), False),
        (lambda net, x: net.last(nn.functional.max_pool2d(x, 2)), False),
        (activated_in_place, False),
    ],
)
def test_what_follows_decides(use, is_site):
    assert len(linear(Net(use), SIZE)) == is_site


def test_a_convolution_with_an_activation_is_none():
    net = Net(lambda net, x: net.last(x), act_cfg=dict(type="ReLU"))
    assert [site.name for site in probe(net, SIZE, linear=True)] == ["first.activate"]


def test_a_pooled_map_is_none():
    assert linear(Net(lambda net, x: net.last(x)), (1, 1)) == []


@pytest.mark.parametrize("order", [("conv", "norm", "act"), ("norm", "conv", "act")])
def test_norm_that_yields_the_output(order):
    (site,) = linear(Net(lambda net, x: net.last(x), order=order), SIZE)
    assert site.norm == ("first.bn" if order[0] == "conv" else None)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("act", [dict(type="DyReLUB", k=1), B, dict(type="DyReLUA", k=3)], ids=str)
def test_layers_start_as_the_identity(build, images, input_size, name, act):
    ours, theirs = build(name), build(name)
    placements = place(ours, [dict(LINEAR, act=act)], input_size)
    placed = [placement for placement in placements if placement.layer is not None]
    assert len(placed) == EXPECTED[name]
    for placement in placed:
        assert ours.get_submodule(placement.site.name) is placement.layer
    ours.eval(), theirs.eval()  # which return None
    for mine, their in zip(run(ours, images), run(theirs, images), strict=True):
        assert torch.equal(mine, their)


def test_trained_layers_are_used(build, images, input_size):
    ours, theirs = build("mobilenetv2"), build("mobilenetv2")
    place(ours, [dict(LINEAR, act=dict(B, init="default"))], input_size)
    ours.eval(), theirs.eval()
    assert not torch.allclose(run(ours, images), run(theirs, images))


def test_c_starts_as_the_identity_where_its_map_is_one(build, images, input_size):
    ours, theirs = build("mobilenetv2"), build("mobilenetv2")
    act = dict(type="DyReLUC", gamma=1.0, cap=3.0)
    place(ours, [dict(LINEAR, act=act)], input_size)
    ours.eval(), theirs.eval()
    assert torch.equal(run(ours, images), run(theirs, images))


def test_keys_stay_and_a_checkpoint_without_the_layers_loads(build, images, input_size):
    ours, theirs = build("mobilenetv2"), build("mobilenetv2")
    nn.init.normal_(theirs.backbone.layer2[0].conv[2].conv.weight)
    place(ours, [LINEAR, dict(sites="backbone.*", act=None)], input_size)
    new = {key for key in ours.state_dict() if ".project." in key}
    assert ours.state_dict().keys() - new == theirs.state_dict().keys()
    assert len(new) == 17 * 4
    result = ours.load_state_dict(theirs.state_dict())  # strict
    assert not result.missing_keys
    assert_same({k: v for k, v in ours.state_dict().items() if k not in new}, theirs.state_dict())
    ours.eval(), theirs.eval()
    assert torch.equal(run(ours, images), run(theirs, images))


def test_init_weights_of_the_block_leaves_the_layer_alone(build, input_size):
    model = build("mobilenetv3")  # its blocks hold the ConvModule, and initialize it
    place(model, [LINEAR], input_size)
    model.init_weights()
    layer = model.backbone.layer1.linear_conv.project
    assert isinstance(layer, DyReLUB)
    assert not layer.fc2.weight.any()


def test_gradient_reaches_the_hyper_function(build, images, input_size):
    model = build("mobilenetv2")
    place(model, [LINEAR], input_size)
    run(model, images).square().mean().backward()
    assert model.backbone.layer2[0].conv[2].project.fc2.weight.grad.any()


def test_fuse_norm(build, images, input_size):
    ours, theirs = build("mobilenetv2").double(), build("mobilenetv2").double()
    placements = place(ours, [dict(LINEAR, fuse_norm=True)], input_size)
    assert sum(placement.placed == "DyReLUB + norm" for placement in placements) == 17
    images = images.double()
    ours.train(), theirs.train()
    torch.testing.assert_close(run(ours, images), run(theirs, images))


def test_only_a_rule_that_asks_takes_one(build, input_size):
    model = build("mobilenetv2")
    placements = place(model, [dict(sites="*", act=B)], input_size)
    assert len(placements) == 35
    assert not any(placement.site.linear for placement in placements)
    assert not any(name.endswith(".project") for name, _ in model.named_modules())


def test_a_linear_rule_takes_nothing_else_and_exceptions_come_first(build, input_size):
    rules = [
        dict(sites="backbone.layer7.*", act=None, linear=True),
        LINEAR,
        dict(sites="*", act=dict(type="DyReLUA")),
    ]
    placements = place(build("mobilenetv2"), rules, input_size)
    kinds = [type(p.layer) for p in placements if p.site.linear]
    assert kinds == [DyReLUB] * 16
    assert {type(p.layer) for p in placements if not p.site.linear} == {DyReLUA}


def test_other_layers_can_be_put_there(build, input_size):
    placements = place(build("mobilenetv2"), [dict(LINEAR, act=dict(type="SEReLU"))], input_size)
    assert sum(placement.placed == "SEReLU" for placement in placements) == 17


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            [dict(LINEAR, sites="backbone.layer9.*")],
            "rule 0: 'backbone.layer9.*' matches none of the model's 17 linear sites; "
            "close: backbone.layer7.*",
        ),
        (
            [dict(LINEAR, sites="*.conv1.activate")],
            "17 linear sites; with linear=False it matches 1 activation site",
        ),
        (
            [dict(sites="*.project", act=B)],
            "35 activation sites; with linear=True it matches 17 linear sites",
        ),
        ([dict(LINEAR, linear="yes")], "rule 0: linear must be True or False, not 'yes'"),
        ([LINEAR, LINEAR], "rule 1 (sites='*') has no effect: every site it matches (17)"),
    ],
)
def test_a_rule_without_effect_names_what_is_wrong(build, input_size, rules, message):
    model = build("mobilenetv2")
    keys = list(model.state_dict())
    with pytest.raises(PlacementError) as caught:
        place(model, rules, input_size)
    assert message in str(caught.value)
    assert list(model.state_dict()) == keys


def test_a_model_without_any_says_so(build, input_size):
    with pytest.raises(PlacementError, match="none of the model's 0 linear sites"):
        place(build("resnet18"), [LINEAR], input_size)


def test_table_lists_those_without_a_layer(build, input_size):
    model = build("mobilenetv2")
    rules = [dict(LINEAR, sites="backbone.layer1.*"), dict(sites="*", act=B)]
    placements = with_linear(place(model, rules, input_size), model, input_size)
    lines = format_sites(placements).splitlines()
    assert [line.split() for line in lines[4:8:3]] == [
        ["backbone.layer1.0.conv.1.project", "8", "48x32", "linear", "DyReLUB"],
        ["backbone.layer2.0.conv.2.project", "8", "24x16", "linear", "-"],
    ]
    assert lines[-2:] == [
        "total     36 sites: 36 DyReLUB",
        "linear    16 more sites, for rules with linear=True",
    ]
