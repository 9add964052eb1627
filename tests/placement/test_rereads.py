"""An activation that overwrites what is read again computes one function, as its ReLU did."""

import copy
import pickle

import pytest
import torch
from torch import nn

from dyrelu_pose.layers import DyReLU, DyReLUB
from dyrelu_pose.placement import PlacementError, place

SIZE = (12, 10)  # (W, H)
C = 6
ACTS = {
    "A": dict(type="DyReLUA"),
    "B": dict(type="DyReLUB"),
    "C": dict(type="DyReLUC", gamma=1.0, cap=3.0),
}


class Block(nn.Module):
    """A convolution and a norm in front, and two in-place activations used as `how` says."""

    def __init__(self, how):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(C, C, 3, padding=1), nn.BatchNorm2d(C)
        self.act, self.other = nn.ReLU(inplace=True), nn.ReLU(inplace=True)
        self.how = how

    def forward(self, x):
        return self.how(self, x, self.norm(self.conv(x)))


class Hourglass(nn.Module):
    """Nested, each level a shortcut of the next: activation, then convolution, on one map."""

    def __init__(self, depth):
        super().__init__()
        self.act, self.conv = nn.ReLU(inplace=True), nn.Conv2d(C, C, 3, padding=1)
        self.inner = Hourglass(depth - 1) if depth else nn.Identity()

    def forward(self, x):
        return x + self.inner(self.conv(self.act(x)))


def through_a_view(net, x, u):
    rows = u.flatten(2)
    return net.conv(net.act(u)).flatten(2) + rows


def written_to_afterwards(net, x, u):
    y = net.act(u)
    y += 1
    return y + u


def chained(net, x, u):
    y = net.act(u)
    z = net.other(net.conv(y) + y)
    return z + u


def in_training(net, x, u):
    y = net.conv(net.act(u))
    return y + u if net.training else y


def both_on_one_map(net, x, u):
    u = u - 0.5
    return net.act(u) + 2 * net.other(u)


def stored(net, x, u):
    y = net.conv(net.act(u))
    both = y.new_zeros(2, *y.shape)
    both[0], both[1] = u, y
    return both.sum(0)


READ_AGAIN = {
    "shortcut": lambda net, x, u: net.conv(net.act(u)) + u,
    "input-of-the-block": lambda net, x, u: net.conv(net.act(x)) + net.other(u) + x,
    "returned": lambda net, x, u: torch.stack([net.conv(net.act(u)), u]),
    "view": through_a_view,
    "written-to": written_to_afterwards,
    "chained": chained,
    "in-training": in_training,
    "both-on-one-map": both_on_one_map,
    "stored": stored,
}


def model_of(name):
    torch.manual_seed(0)
    inner = Hourglass(2) if name == "hourglass" else Block(READ_AGAIN[name])
    model = nn.Sequential(nn.Conv2d(3, C, 3, padding=1), nn.Sequential(inner))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


def images():
    return torch.randn(2, 3, 10, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=[*READ_AGAIN, "hourglass"])
def name(request):
    return request.param


def assert_one_function(model, expected):
    """With gradients, without them, and frozen; in training, each pass moves the statistics."""
    torch.testing.assert_close(copy.deepcopy(model)(images()), expected)
    with torch.no_grad():
        torch.testing.assert_close(copy.deepcopy(model)(images()), expected)
    torch.testing.assert_close(copy.deepcopy(model).requires_grad_(False)(images()), expected)


def move(model):
    """Move each layer away from ReLU."""
    for layer in model.modules():
        if isinstance(layer, DyReLU):
            nn.init.normal_(layer.fc2.weight)


@pytest.mark.parametrize("act", ACTS)
def test_is_one_function_that_starts_as_the_relu_model(name, act):
    model = model_of(name)
    relu = copy.deepcopy(model)
    place(model, [dict(sites="*", act=ACTS[act])], SIZE)
    moved = copy.deepcopy(model)
    move(moved)
    for training in (True, False):
        assert_one_function(model.train(training), copy.deepcopy(relu.train(training))(images()))
        assert_one_function(moved.train(training), copy.deepcopy(moved)(images()))


def test_the_reference_is_the_same_function():
    model = model_of("shortcut").eval()
    act = dict(type="DyReLUC", init="default", backend="reference")
    place(model, [dict(sites="*", act=act)], SIZE)
    expected = model(images())
    model[1][0].act.backend = "eager"
    assert_one_function(model, expected)


def test_gradients_are_those_of_the_function_out_of_place():
    """Whose shortcut adds what the activation returns."""
    ours = model_of("shortcut").double().eval()
    place(ours, [dict(sites="*.act", act=dict(type="DyReLUB", init="default"))], SIZE)
    theirs = copy.deepcopy(ours)
    theirs[1][0].act.reread = theirs[1][0].act.inplace = False

    def out_of_place(net, x, u):
        y = net.act(u)
        return net.conv(y) + y

    theirs[1][0].how = out_of_place
    for model in (ours, theirs):
        model(images().double()).square().sum().backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def added_to(net, x, u):
    y = net.act(u)
    u += net.conv(y)
    return u


def overwritten_by_another(net, x, u):
    y = net.act(u)
    z = net.other(u)
    return net.conv(y) + z + u


@pytest.mark.parametrize("how", [added_to, overwritten_by_another])
def test_backward_has_an_input_that_others_overwrite_afterwards(how):
    torch.manual_seed(0)
    block = Block(how)
    block.act = nn.ReLU()
    ours = nn.Sequential(nn.Conv2d(3, C, 1), block).double().eval()
    place(ours, [dict(sites="*.act", act=dict(type="DyReLUB", init="default"))], SIZE)
    theirs = copy.deepcopy(ours)
    theirs[1].how = lambda net, x, u: how(net, x, u.clone())
    theirs[1].act.register_forward_pre_hook(lambda layer, args: args[0].clone())
    expected, actual = (
        torch.autograd.grad(model(images().double()).square().sum(), list(model.parameters()))
        for model in (theirs, ours)
    )
    torch.testing.assert_close(actual, expected)


def test_the_layer_says_so_after_copying_pickling_and_placing_again():
    model = model_of("shortcut")
    rule = dict(sites="*.act", act=dict(type="DyReLUB"))
    place(model, [rule], SIZE)
    place(model, [rule], SIZE)
    for each in (model, copy.deepcopy(model)):
        assert each[1][0].act.inplace
        assert each[1][0].act.reread
    assert pickle.loads(pickle.dumps(model[1][0].act)).reread


def test_a_layer_that_the_model_came_with_is_treated_alike():
    model = model_of("shortcut")
    model[1][0].act = DyReLUB(C, inplace=True, init="default")
    place(model, [], SIZE)
    assert_one_function(model, model.eval()(images()))


def test_a_layer_asked_to_work_in_place_keeps_an_input_that_the_relu_kept():
    model = model_of("shortcut").eval()
    model[1][0].act = nn.ReLU()
    act = dict(type="DyReLUB", init="default", inplace=True)
    place(model, [dict(sites="*.act", act=act)], SIZE)
    assert_one_function(model, model(images()))


def test_images_are_left_alone():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, C, 1))
    place(model, [dict(sites="*", act=dict(type="DyReLUB", init="default"))], SIZE)
    x = images()
    with torch.no_grad():
        model(x)
    assert torch.equal(x, images())


def test_refuses_where_images_are_overwritten_and_read_again():
    model = nn.Sequential(Hourglass(0))
    model[0].conv = nn.Conv2d(3, 3, 1)
    with pytest.raises(PlacementError, match=r"0.act overwrites the model's input .*inplace=False"):
        place(model, [dict(sites="*", act=ACTS["B"])], SIZE)


@pytest.mark.parametrize("kind", ["SEReLU", "Maxout", "GELU"])
def test_refuses_another_layer_that_does_not_overwrite(kind):
    model = model_of("shortcut")
    before = repr(model)
    with pytest.raises(PlacementError, match=rf"1.0.act overwrites its input .* {kind}, which"):
        place(model, [dict(sites="*.act", act=dict(type=kind))], SIZE)
    assert repr(model) == before
    place(model, [dict(sites="*.act", act=dict(type="ReLU6", inplace=True))], SIZE)


# -- beside folded norms


def overwritten_before(net, x, u):
    """The input of the norm, which a folded one would read only where the activation runs."""
    v = net.norm(x)
    return net.other(x) + net.act(v)


@pytest.mark.parametrize(
    ("how", "folds"),
    [
        (lambda net, x, u: net.act(u) + net.other(x), True),
        (lambda net, x, u: net.conv(net.act(u)) + u, False),
        (lambda net, x, u: net.act(u) + net.other(u), False),
        (lambda net, x, u: torch.stack([net.act(u), u]), False),
        (overwritten_before, False),
    ],
    ids=["input-of-the-norm", "shortcut", "both-on-one-map", "returned", "overwritten-before"],
)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_one_function_beside_folded_norms(how, folds, training):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, C, 1), nn.BatchNorm2d(C), nn.ReLU(inplace=True), nn.Conv2d(C, C, 1), Block(how)
    ).train(training)
    relu = copy.deepcopy(model)
    rule = dict(sites="*", act=dict(type="DyReLUB"), fuse_norm=True)
    placed = {placement.site.name: placement for placement in place(model, [rule], SIZE)}
    assert placed["2"].fused
    assert placed["4.act"].fused == folds
    assert_one_function(model, copy.deepcopy(relu)(images()))
    move(model)
    assert_one_function(model, copy.deepcopy(model)(images()))


def test_placing_again_gives_a_folded_norm_back():
    model = nn.Sequential(nn.Conv2d(3, C, 1), nn.BatchNorm2d(C), nn.ReLU()).eval()
    nn.init.uniform_(model[1].weight)
    expected = model(images())
    for fuse in (True, False, True):
        rule = dict(sites="*", act=dict(type="DyReLUB"), fuse_norm=fuse)
        place(model, [rule], SIZE)
        torch.testing.assert_close(model(images()), expected)
