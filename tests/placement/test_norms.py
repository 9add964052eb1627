"""Norms are folded where the activation alone uses their output, and nowhere else."""

import copy

import pytest
import torch
from mmengine.model import convert_sync_batchnorm
from torch import nn

from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.layers.folded_norm import FoldedBatchNorm2d
from dyrelu_pose.layers.residual import DeferredBatchNorm2d
from dyrelu_pose.placement import PlacementError, place, probe

from .conftest import BACKBONES, maps

MOVING = dict(type="DyReLUB", reduction=4, init="default")  # not at ReLU
FUSED = [dict(sites="backbone.*", act=MOVING, fuse_norm=True)]
SIZE = (8, 6)  # (W, H)
WITHOUT_NORMS = {"alexnet", "pvt", "pvtv2", "vgg11"}  # BatchNorm before an activation


@pytest.mark.parametrize(
    ("name", "norms"),
    [
        ("resnet18", {"backbone.relu": "backbone.bn1", "backbone.layer1.0.relu2": None}),
        ("resnet50", {"backbone.layer1.0.relu2": "backbone.layer1.0.bn2"}),
        ("hrnet", {"backbone.stage2.0.branches.0.0.relu1": "backbone.stage2.0.branches.0.0.bn1"}),
        ("hrnet", {"backbone.stage2.0.relu1": None}),  # after a sum of branches
        ("mobilenetv2", {"backbone.layer2.0.conv.1.activate": "backbone.layer2.0.conv.1.bn"}),
    ],
)
def test_norm_of_a_site(build, input_size, name, norms):
    found = {site.name: site.norm for site in probe(build(name), input_size)}
    assert {site: found[site] for site in norms} == norms


def test_count_of_norms_in_resnet50(build, input_size):
    # All but the last activation of the 16 blocks, which follows the residual addition.
    assert sum(site.norm is not None for site in probe(build("resnet50"), input_size)) == 49 - 16


@pytest.mark.parametrize(
    ("name", "summed"),
    [
        ("resnet18", {"layer1.0.relu2": ["layer1.0.bn2"], "layer1.0.relu1": []}),
        ("resnet18", {"layer2.0.relu2": ["layer2.0.bn2", "layer2.0.downsample.1"]}),
        ("resnet50", {"layer1.0.relu3": ["layer1.0.bn3", "layer1.0.downsample.1"]}),
        ("hrnet", {"stage2.0.branches.0.0.relu2": ["stage2.0.branches.0.0.bn2"]}),
        ("hrnet", {"stage2.0.relu1": [], "relu1": []}),
        ("seresnet50", {"layer1.0.relu3": []}),  # bn3 goes to SE, whose output is overwritten
    ],
)
def test_norms_of_a_residual_sum(build, input_size, name, summed):
    sites = probe(build(name).backbone, input_size)
    found = {site.name: list(site.summed) for site in sites}
    assert {site: found[site] for site in summed} == summed
    assert all(site.norm is None for site in sites if site.summed)


def assert_close_in_scale(ours, theirs, name):
    """Compare in units of the tensor: RSN's untrained values grow to 1e14."""
    scale = theirs.abs().amax().clamp(min=1)
    torch.testing.assert_close(ours / scale, theirs / scale, rtol=1e-5, atol=1e-7, msg=name)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        *((name, "DyReLUB") for name in sorted(BACKBONES.keys() - WITHOUT_NORMS)),
        *((name, "DyReLUC") for name in ("mobilenetv2", "resnet18")),
    ],
)
def test_computes_the_same_function(build, images, input_size, name, variant):
    theirs, ours = build(name), build(name)
    rule = dict(sites="backbone.*", act=dict(MOVING, type=variant))
    place(theirs, [rule], input_size)
    placements = place(ours, [dict(rule, fuse_norm=True)], input_size)
    assert any(placement.fused for placement in placements)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for training in (True, False):
        ours.load_state_dict(theirs.state_dict())
        outputs, buffers = [], []
        for model in (ours, theirs):
            model.train(training).zero_grad()
            # In float64: at 1x1 maps, batch statistics of two samples magnify rounding.
            model.double()
            torch.manual_seed(0)  # of stochastic depth
            outputs.append(maps(model(images.double(), None, mode="tensor")))
            # A checkpoint updates what is inside once more in backward; a folded sum is outside.
            buffers.append([buffer.clone() for buffer in model.buffers()])
            sum(output.square().sum() for output in outputs[-1].values()).backward()
        mode = "training" if training else "evaluation"
        for key, other in outputs[1].items():
            assert_close_in_scale(outputs[0][key], other, f"map {key} in {mode}")
        for (key, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            if other.grad is not None:
                assert_close_in_scale(mine.grad, other.grad, f"{key} in {mode}")
        for mine, other in zip(*buffers, strict=True):
            torch.testing.assert_close(mine, other)


class Net(nn.Module):
    """One norm, and one activation behind it in the way that `how` says."""

    def __init__(self, how):
        super().__init__()
        self.norm, self.act, self.other = nn.BatchNorm2d(3), nn.ReLU(), nn.ReLU()
        self.how = how

    def forward(self, x):
        return self.how(self, self.norm(x), x)


def added_in_place(net, u, x):
    u += x
    return net.act(u)


@pytest.mark.parametrize(
    ("how", "direct"),
    [
        (lambda net, u, x: net.act(u), True),
        (lambda net, u, x: net.act(u) + net.other(x), True),
        (lambda net, u, x: net.act(u).flatten(1) if u.shape[1] == 3 else u, True),
        (lambda net, u, x: net.act(u + x), False),
        (added_in_place, False),
        (lambda net, u, x: net.act(u) + u, False),
        (lambda net, u, x: torch.cat([u, net.act(u)], 1), False),
        (lambda net, u, x: net.act(u) + net.other(u), False),
        (lambda net, u, x: net.act(net.norm(net.act(u))), True),
        (lambda net, u, x: net.act(net.norm(x)) + u, False),
        (lambda net, u, x: net.act(u) + net.act(x), False),
    ],
    ids=[
        "only", "input-elsewhere", "shape-read", "sum", "sum-in-place", "skip", "cat", "two-acts",
        "both-twice", "other-call-used", "act-also-without-norm",
    ],
)  # fmt: skip
def test_only_the_single_user_of_a_norm_counts(how, direct):
    site, *_ = probe(Net(how), SIZE)
    assert site.name == "act"
    assert site.norm == ("norm" if direct else None)


@pytest.mark.parametrize(
    "how",
    [
        lambda net, u, x: net.act(u) + net.other(u) if net.training else net.act(u),
        lambda net, u, x: net.act(2 * u) if net.training else net.act(u),
        lambda net, u, x: u if net.training else net.act(u),
        lambda net, u, x: net.act(u + x) + u if net.training else net.act(u + x),
    ],
    ids=["branch", "changed", "evaluated-only", "branch-beside-a-sum"],
)
def test_what_training_alone_does_with_a_norm_counts(how):
    site, *_ = probe(Net(how), SIZE)
    assert site.norm is None
    assert not site.summed


class LeftOut(Net):
    """A block that is skipped in training, as those of a stochastic depth are by chance."""

    def forward(self, x):
        return x if self.training else self.act(self.norm(x))


def test_a_block_that_is_left_out_in_training_tells_nothing():
    (site,) = probe(LeftOut(None), SIZE)
    assert site.norm == "norm"


def test_a_norm_with_a_hook_stays():
    net = Net(lambda net, u, x: net.act(u))
    net.norm.register_forward_hook(lambda norm, args, output: 2 * output)
    (site,) = probe(net, SIZE)
    assert site.norm is None


def shortcut_changed(net, u, x):
    y = net.act(u + x)
    x.add_(1)
    return y


def shortcut_overwritten(net, u, x):
    x += u
    return net.act(x)


def sum_changed(net, u, x):
    u += x
    u += x
    return net.act(u)


def changed_between(net, u, x):
    total = u + x
    x.mul_(2)
    return net.act(total)


@pytest.mark.parametrize(
    ("how", "summed"),
    [
        (lambda net, u, x: net.act(u + x), True),
        (lambda net, u, x: net.act(x + u), True),
        (added_in_place, True),
        (lambda net, u, x: net.act(torch.add(u, x)), True),
        (lambda net, u, x: net.act(u + x) + x, True),
        (lambda net, u, x: net.act(u + net.other(2 * x)), True),
        (lambda net, u, x: net.act(net.norm(net.act(u + x)) + x), True),
        (lambda net, u, x: net.act(u + u), False),
        (lambda net, u, x: net.act(u + 1), False),
        (lambda net, u, x: net.act(torch.add(u, x, alpha=2)), False),
        (lambda net, u, x: net.act(u + x[:, :1]), False),
        (lambda net, u, x: net.act(u + x.double()), False),
        (lambda net, u, x: net.act(u + x + x), False),
        (lambda net, u, x: net.act(u - x), False),
        (lambda net, u, x: net.act(u + x) + u, False),
        (lambda net, u, x: (total := u + x) + net.act(total), False),
        (lambda net, u, x: net.other(total := u + x) + net.act(total), False),
        (lambda net, u, x: net.act(u + x) + net.act(x), False),
        (lambda net, u, x: net.act(net.norm(net.act(u + x))), False),
        (lambda net, u, x: [net.act(total := u + x), total], False),
        (shortcut_changed, False),
        (shortcut_overwritten, False),
        (sum_changed, False),
        (changed_between, False),
    ],
    ids=[
        "u+x", "x+u", "in-place", "torch.add", "shortcut-read-later", "other-act-first",
        "both-twice", "doubled", "number", "alpha", "broadcast", "dtype", "three", "difference",
        "norm-used", "sum-used", "two-acts", "act-also-without-sum", "once-direct", "returned",
        "shortcut-changed", "shortcut-overwritten", "sum-changed", "changed-between",
    ],
)  # fmt: skip
def test_only_the_single_user_of_a_sum_counts(how, summed):
    site = next(site for site in probe(Net(how), SIZE) if site.name == "act")
    assert site.summed == (("norm",) if summed else ())
    assert site.norm is None


class TwoNorms(nn.Module):
    """Two norms, and an activation behind what `how` makes of their outputs."""

    def __init__(self, how):
        super().__init__()
        self.norm, self.shortcut, self.act = nn.BatchNorm2d(3), nn.BatchNorm2d(3), nn.ReLU()
        self.how = how

    def forward(self, x):
        return self.how(self, self.norm(x), self.shortcut(x))


@pytest.mark.parametrize(
    ("how", "summed"),
    [
        (lambda net, u, r: net.act(u + r), ("norm", "shortcut")),
        (lambda net, u, r: net.act(r + u), ("shortcut", "norm")),
        (lambda net, u, r: net.act(u + r) + r, ("norm",)),
        (lambda net, u, r: net.act(u + r) + u, ("shortcut",)),
        (lambda net, u, r: net.act(u + r) + u + r, ()),
    ],
    ids=["both", "turned", "second-used", "first-used", "both-used"],
)
def test_norms_whose_output_is_used_elsewhere_stay(how, summed):
    (site,) = probe(TwoNorms(how), SIZE)
    assert site.summed == summed


@pytest.mark.parametrize("norm", [nn.InstanceNorm2d(8), nn.GroupNorm(2, 8), nn.SyncBatchNorm(8)])
def test_other_norms_do_not_count(norm):
    (site,) = probe(nn.Sequential(nn.Conv2d(3, 8, 1), norm, nn.ReLU()), SIZE)
    assert site.norm is None


def test_placed_names_the_norm_and_the_norm_stays(build, input_size):
    model = build("resnet18")
    placed = {p.site.name: p.placed for p in place(model, FUSED, input_size)}
    assert placed["backbone.relu"] == "DyReLUB + norm"
    assert placed["backbone.layer1.0.relu2"] == "DyReLUB + norm + sum"
    assert type(model.backbone.bn1) is FoldedBatchNorm2d
    assert type(model.backbone.layer1[0].bn2) is DeferredBatchNorm2d
    assert type(model.backbone.layer2[0].downsample[1]) is DeferredBatchNorm2d
    assert isinstance(model.backbone.bn1, nn.BatchNorm2d)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_norms_that_mmengine_synchronises_compute_by_themselves(
    build, images, input_size, training
):
    """By `sync_bn` in a config; without a process group SyncBatchNorm is BatchNorm."""
    theirs = build("resnet18")
    place(theirs, FUSED, input_size)
    ours = convert_sync_batchnorm(copy.deepcopy(theirs))
    kinds = {type(module) for module in ours.modules()}
    assert nn.SyncBatchNorm in kinds
    assert FoldedBatchNorm2d not in kinds
    outputs = []
    for model in (ours, theirs):
        model.double()  # as above
        model.train(training)
        outputs.append(model(images.double(), None, mode="tensor"))
    assert_close_in_scale(*outputs, "output")


@pytest.mark.parametrize(
    "how",
    [lambda net, u, x: net.act(u), lambda net, u, x: net.act(u + x)],
    ids=["alone", "sum"],
)
def test_a_norm_that_is_wrapped_is_refused(how):
    net = Net(how)
    place(net, [dict(sites="act", act=MOVING, fuse_norm=True)], SIZE)
    net.norm = nn.Sequential(net.norm)
    with pytest.raises(RuntimeError, match="is wrapped in a Sequential of its own.*fuse_norm=Fal"):
        net(torch.randn(2, 3, 6, 8))


def test_a_copy_is_independent(build, images, input_size):
    model = build("resnet18")
    place(model, FUSED, input_size)
    model.eval()
    copied = copy.deepcopy(model)
    with torch.no_grad():
        before = model(images, None, mode="tensor")
        nn.init.zeros_(copied.backbone.bn1.weight)
        assert torch.equal(model(images, None, mode="tensor"), before)
        assert not torch.equal(copied(images, None, mode="tensor"), before)


def error_of(rule, model=None):
    net = model or nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
    before = copy.deepcopy(net)
    with pytest.raises(PlacementError) as caught:
        place(net, [rule], SIZE)
    assert repr(net) == repr(before)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (dict(sites="*", act=dict(type="SiLU"), fuse_norm=True), "SiLU cannot compute a norm"),
        (dict(sites="*", act=None, fuse_norm=True), "rule 0: fuse_norm must be True or False, and"),
        (dict(sites="*", act=dict(type="DyReLUB"), fuse_norm="yes"), "rule 0: fuse_norm must be"),
    ],
)
def test_refuses(rule, message):
    assert message in error_of(rule)


def test_refuses_a_rule_without_a_norm_in_reach():
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU())
    rule = dict(sites="*", act=dict(type="DyReLUB"), fuse_norm=True)
    assert "fuse_norm=True has no effect, as no site of the rule (1)" in error_of(rule, net)


def test_a_layer_with_a_folded_norm_can_be_probed_again():
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.ReLU())
    place(net, [dict(sites="*", act=dict(type="DyReLUB"), fuse_norm=True)], SIZE)
    (site,) = probe(net, SIZE)
    assert site.kind == DyReLUB.__name__
    assert site.norm is None
