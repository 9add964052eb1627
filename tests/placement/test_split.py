"""A split block computes what the block it was made from computes, to the last bit."""

import copy

import pytest
import torch
from torch import nn

from dyrelu_pose.placement import probe, register_split, split_shared
from dyrelu_pose.placement.registry import RECIPES

from .conftest import BACKBONES, assert_same, maps


def run_training_step(backbone, images):
    torch.manual_seed(0)  # of stochastic depth
    outputs = maps(backbone(images))
    sum(output.square().mean() for output in outputs.values()).backward()
    gradients = {name: p.grad for name, p in backbone.named_parameters() if p.grad is not None}
    return outputs, gradients


@pytest.mark.parametrize("name", BACKBONES)
def test_split_backbone_is_bit_equal(build, images, name):
    theirs = build(name).backbone
    ours = copy.deepcopy(theirs)
    split_shared(ours)

    for backbone in (ours, theirs):
        backbone.eval()
    with torch.no_grad():
        assert_same(maps(ours(images)), maps(theirs(images)))

    for backbone in (ours, theirs):
        backbone.train()
    our_outputs, our_gradients = run_training_step(ours, images)
    their_outputs, their_gradients = run_training_step(theirs, images)
    assert_same(our_outputs, their_outputs)
    assert_same(our_gradients, their_gradients)
    assert_same(ours.state_dict(), theirs.state_dict())  # running statistics included


@pytest.mark.parametrize(
    ("name", "blocks"),
    # HRNet: itself, 1 Bottleneck, 2 + 3 + 4 BasicBlocks, 3 HRModules. ResNet: itself, its blocks.
    [("hrnet", 14), ("resnet18", 9), ("resnet50", 17), ("litehrnet", 3), ("mobilenetv2", 0)],
)
def test_split_counts_blocks_once(build, name, blocks):
    model = build(name)
    assert split_shared(model) == blocks
    assert split_shared(model) == 0


@pytest.mark.parametrize("name", ["hrnet", "resnet18", "resnet50", "litehrnet"])
def test_split_leaves_no_shared_site(build, input_size, name):
    assert all(site.obstacle is None for site in probe(build(name), input_size))


@pytest.mark.parametrize("name", ["hrnet", "resnet50"])
def test_split_block_still_checkpoints(build, images, name):
    calls = []
    backbone = build(f"{name}_cp").backbone
    split_shared(backbone)
    block = backbone.layer1[0]
    block.relu1.register_forward_hook(lambda *_: calls.append("residual"))
    block.relu3.register_forward_hook(lambda *_: calls.append("sum"))
    run_training_step(backbone, images)
    assert calls == ["residual", "sum", "residual"]  # the second one recomputes for backward


@pytest.mark.parametrize(("name", "stem"), [("hrnet", ["relu1", "relu2"]), ("resnet50", ["relu"])])
def test_frozen_stem_freezes_its_activation(build, name, stem):
    """PReLU stands for any activation with parameters."""
    backbone = build(name, frozen_stages=0).backbone
    split_shared(backbone)
    for attribute in stem:
        setattr(backbone, attribute, nn.PReLU())
    backbone.train()
    assert not any(getattr(backbone, attribute).weight.requires_grad for attribute in stem)
    assert not any(getattr(backbone, attribute).training for attribute in stem)


class Block(nn.Module):
    """A user's block that calls one activation at sites of different widths."""

    def __init__(self):
        super().__init__()
        self.narrow = nn.Conv2d(3, 4, 1)
        self.wide = nn.Conv2d(4, 8, 1)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.wide(self.act(self.narrow(x))))


class SubBlock(Block):
    pass


@pytest.fixture
def split_block():
    @register_split(Block, act=2)
    class SplitBlock(Block):
        def forward(self, x):
            return self.act2(self.wide(self.act1(self.narrow(x))))

    yield SplitBlock
    del RECIPES[Block]


def test_registered_split_of_a_users_block(split_block):
    model = nn.Sequential(Block())
    images = torch.randn(2, 3, 4, 4)
    expected = model(images)
    assert split_shared(model) == 1
    assert type(model[0]) is split_block
    assert torch.equal(model(images), expected)
    assert [(site.name, site.channels) for site in probe(model, (4, 4))] == [
        ("0.act1", 4),
        ("0.act2", 8),
    ]


def test_recipe_applies_to_its_exact_class_only(split_block):
    model = nn.Sequential(SubBlock())
    assert split_shared(model) == 0
    assert type(model[0]) is SubBlock


def test_register_split_refuses_a_stranger_and_a_second_recipe(split_block):
    with pytest.raises(TypeError, match="Sequential must be a subclass of Block"):
        register_split(Block, act=2)(nn.Sequential)
    with pytest.raises(ValueError, match="Block already has the split SplitBlock"):
        register_split(Block, act=2)(split_block)


def test_lite_module_with_one_output_is_bit_equal():
    from mmpose.models.backbones.litehrnet import LiteHRModule

    theirs = LiteHRModule(2, 1, [16, 32], 8, "LITE", multiscale_output=False)
    ours = copy.deepcopy(theirs)
    split_shared(ours)
    maps = [torch.randn(2, 16, 16, 12), torch.randn(2, 32, 8, 6)]
    expected, *others = theirs([m.clone() for m in maps])
    assert not others
    assert torch.equal(ours(maps)[0], expected)
