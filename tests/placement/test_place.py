"""Placed layers are ordinary parts of the model for everything that trains, copies or runs it."""

import copy
import pickle
import re

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.model import ExponentialMovingAverage
from mmengine.optim import build_optim_wrapper
from mmpose.models import backbones
from mmpose.models.backbones.resnet import Bottleneck
from torch import nn

from dyrelu_pose.layers import DyReLU, DyReLUB, DyReLUC
from dyrelu_pose.placement import PlacementError, place, probe

from .conftest import BACKBONES, assert_same, maps

B = dict(type="DyReLUB", reduction=4)
BACKBONE = [dict(sites="backbone.*", act=B)]
MOVING = [dict(sites="backbone.*", act=dict(**B, init="default"))]  # not at ReLU
# Backbones with an activation other than ReLU: a checkpoint of theirs is not one of ReLU.
NOT_RELU = (
    "cspdarknet",
    "cspnext",
    "hrformer",
    "mobilenetv2",
    "mobilenetv3",
    "pvt",
    "pvtv2",
    "vipnas_mobilenetv3",
)
DECONVS = dict(deconv_out_channels=(16, 8), deconv_kernel_sizes=(4, 4))


def run(model, images):
    return model(images, None, mode="tensor")


def in_backbone(placements):
    return [placement for placement in placements if placement.site.name.startswith("backbone.")]


def unused(backbone, site):
    """Whether LiteHRNet computes the site's map and then returns only the largest of its maps."""
    smaller = r"backbone\.stage2\.0\.(relu(?!1$)|fuse_layers\.(?!0\.))"
    return backbone.startswith("litehrnet") and re.match(smaller, site) is not None


def classes(model):
    return [(name, type(module)) for name, module in model.named_modules()]


@pytest.mark.parametrize("name", BACKBONES)
def test_every_site_gets_a_layer_of_its_width(build, images, input_size, name):
    model = build(name)
    expected = probe(model, input_size)
    assert not [site for site in expected if site.overwrites]
    placements = place(model, BACKBONE, input_size)
    assert [placement.site for placement in placements] == expected
    for placement in in_backbone(placements):
        assert model.get_submodule(placement.site.name) is placement.layer
        assert placement.placed == "DyReLUB"
        assert placement.layer.channels == placement.site.channels
        assert placement.layer.reduction == 4
    run(model, images)


def test_swin_has_no_site_in_its_backbone(build, input_size):
    """Its activations are in fully connected layers, on tokens: there is no map."""
    swin = dict(type="SwinTransformer", embed_dims=12, depths=(1,) * 4, num_heads=(1,) * 4)
    sites = probe(build(swin, 96, head=DECONVS), input_size)
    assert sites
    assert not [site for site in sites if site.name.startswith("backbone.")]


def test_every_2d_backbone_of_mmpose_is_tested():
    in_3d = {"TCN", "V2VNet", "DSTFormer"}
    without_sites = {"SwinTransformer"}
    tested = {backbone["type"] for backbone, _ in BACKBONES.values()}
    assert tested | in_3d | without_sites == set(backbones.__all__)


@pytest.mark.parametrize("name", sorted(set(BACKBONES) - set(NOT_RELU)))
def test_relu_weights_give_bit_identical_output(build, images, input_size, name):
    theirs = build(name)
    ours = build(name)
    place(ours, BACKBONE, input_size)
    ours.init_weights()
    ours.load_state_dict(theirs.state_dict())
    for model in (ours, theirs):
        model.eval()
    with torch.no_grad():
        assert_same(maps(run(ours, images)), maps(run(theirs, images)))


@pytest.mark.parametrize("name", BACKBONES)
def test_every_layer_trains(build, images, input_size, name):
    model = build(name)
    placements = place(model, MOVING, input_size)
    outputs = maps(model.backbone(images))
    sum(output.square().mean() for output in outputs.values()).backward()
    for placement in in_backbone(placements):
        for key, parameter in placement.layer.named_parameters():
            assert (parameter.grad is not None) == (not unused(name, placement.site.name)), key
            assert parameter.grad is None or parameter.grad.isfinite().all(), key


@pytest.mark.parametrize("name", BACKBONES)
def test_saved_weights_give_the_same_output(build, images, input_size, name):
    ours, loaded = build(name), build(name)
    for model in (ours, loaded):
        place(model, MOVING, input_size)
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    loaded.load_state_dict(ours.state_dict())
    for model in (ours, loaded):
        model.eval()
    with torch.no_grad():
        assert_same(maps(run(loaded, images)), maps(run(ours, images)))


@pytest.mark.parametrize("inplace", [False, True])
def test_overwrites_its_input_only_where_the_original_did(inplace):
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.ReLU(inplace))
    place(model, [dict(sites="*", act=B)], (8, 6))
    x = model[0](torch.randn(2, 3, 6, 8)).detach()
    before = x.clone()
    with torch.no_grad():
        y = model[1](x)
    assert torch.equal(y, before.relu())
    assert torch.equal(x, y if inplace else before)


def test_kept_sites_keep_keys_and_output(build, images, input_size):
    model = build("hrnet")
    theirs = copy.deepcopy(model)
    placements = place(model, [dict(sites="backbone.*", act=None)], input_size)
    assert all(placement.placed is None for placement in placements)
    assert model.state_dict().keys() == theirs.state_dict().keys()
    assert torch.equal(run(model, images), run(theirs, images))


def test_rules_by_part_of_the_model(build, images, input_size):
    model = build("resnet18", head=DECONVS)
    rules = [
        dict(sites="backbone.relu", act=None),
        dict(sites="backbone.*.relu1", act=dict(type="PReLU")),  # takes no channels
        dict(sites="backbone.*", act=B),
        dict(sites=["head.*"], act=dict(type="DyReLUC")),
    ]
    placed = {p.site.name: p.placed for p in place(model, rules, input_size)}
    assert placed["backbone.relu"] is None
    assert type(model.backbone.relu) is nn.ReLU
    assert placed["backbone.layer1.0.relu1"] == "PReLU"
    assert placed["backbone.layer1.0.relu2"] == "DyReLUB"
    assert placed["head.deconv_layers.5"] == "DyReLUC"
    assert type(model.head.deconv_layers[5]) is DyReLUC
    run(model, images)


def test_conv_module_and_class_as_type():
    model = nn.Sequential(ConvModule(3, 4, 1, act_cfg=dict(type="HSwish")))
    place(model, [dict(sites="*", act=dict(type=DyReLUB))], (8, 8))
    assert type(model[0].activate) is DyReLUB
    assert model(torch.randn(2, 3, 8, 8)).shape == (2, 4, 8, 8)


def test_placing_again_replaces():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    for kind in ("DyReLUB", "DyReLUC"):
        place(model, [dict(sites="*", act=dict(type=kind))], (8, 8))
        assert type(model[1]).__name__ == kind


def test_a_layer_is_under_every_name_of_what_it_replaces():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.ReLU())
    model = nn.ModuleDict(dict(all=model, first=model[:2], second=model[2:]))
    relu = copy.deepcopy(model)
    size = (8, 8)
    place(model, [dict(sites="*", act=B)], size, lambda m, x: m["second"](m["first"](x)))
    assert isinstance(model["all"][1], DyReLUB)
    assert model["all"][1] is model["first"][1]
    assert model["all"][3] is model["second"][1]
    model.load_state_dict(relu.state_dict())
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(model["second"](model["first"](x)), relu["all"](x))


def test_dtype_and_mode_follow_the_model(build, input_size):
    model = build("resnet18").double()
    model.eval()
    place(model, BACKBONE, input_size)
    layers = [module for module in model.modules() if isinstance(module, DyReLU)]
    assert all(p.dtype == torch.float64 for layer in layers for p in layer.parameters())
    assert not any(layer.training for layer in layers)
    assert not model.training


def test_the_default_device_does_not_count():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    with torch.device("meta"):
        place(model, [dict(sites="*", act=B)], (8, 8))
    assert not any(parameter.is_meta for parameter in model.parameters())


def test_device_follows_the_model(build, input_size):
    """The meta device stands for any device that is not the default one."""
    model = build("resnet18").to("meta")
    place(model, BACKBONE, input_size)
    assert all(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


# -- errors leave the model as it was


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (dict(type="DyReLUX"), "rule 0 .*: no activation 'DyReLUX' is registered; close: .*DyReLU"),
        (dict(type="dyrelub"), "close: .*DyReLUB"),
        (dict(type="Zzz"), "import the module that registers it"),
        (dict(type="DyReLUB", reductoin=8), "DyReLUB cannot be built .*backbone.relu1.*reductoin"),
    ],
)
def test_act_that_cannot_be_built(build, input_size, act, message):
    model = build("hrnet")
    before = classes(model)
    with pytest.raises(PlacementError, match=message):
        place(model, [dict(sites="backbone.*", act=act)], input_size)
    assert classes(model) == before


def test_misspelt_pattern(build, input_size):
    model = build("hrnet")
    before = classes(model)
    with pytest.raises(PlacementError, match=r"rule 0: 'backbon.\*' matches none .* backbone\.\*"):
        place(model, [dict(sites="backbon.*", act=B)], input_size)
    assert classes(model) == before


def test_unsplit_share_is_an_error_only_if_a_rule_places_there(build, input_size):
    """A subclass has no recipe unless it registers one: its forward may be another."""
    model = build(dict(type="ResNet", depth=50, stem_channels=16, base_channels=16), 512)
    unsplit = type("OwnBottleneck", (Bottleneck,), {})
    for block in model.modules():
        if type(block) is Bottleneck:
            block.__class__ = unsplit
    before = classes(model)
    message = "backbone.layer1.0.relu runs 3 times per pass of OwnBottleneck; register a split"
    with pytest.raises(PlacementError, match=message):
        place(model, BACKBONE, input_size)
    assert classes(model) == before
    place(model, [dict(sites="backbone.layer*", act=None), *BACKBONE], input_size)
    assert type(model.backbone.relu) is DyReLUB


# -- pending layers


def test_pending_layers_get_their_width_with_or_without_rules(images):
    def pending():
        act = dict(type="DyReLUB")
        return nn.Sequential(*(ConvModule(c, c + 1, 3, act_cfg=act) for c in (3, 4, 5)))

    model = pending()
    placements = place(model, [], (64, 96))
    assert [module.activate.channels for module in model] == [4, 5, 6]
    assert [placement.placed for placement in placements] == ["DyReLUB"] * 3
    model(images)

    model = pending()
    rules = [dict(sites="0.*", act=None), dict(sites="1.*", act=dict(type="DyReLUC"))]
    place(model, rules, (64, 96))
    assert [type(module.activate) for module in model] == [DyReLUB, DyReLUC, DyReLUB]
    model(images)


def test_shared_pending_layer_is_an_error():
    act = DyReLUB()
    model = nn.Sequential(act, act)
    with pytest.raises(PlacementError, match="0 is one module with 1"):
        place(model, [], (8, 8))
    assert act.channels is None


# -- the host's machinery


def test_init_weights_leaves_placed_layers_alone(build, input_size):
    model = build("hrnet", head=DECONVS)
    place(model, [dict(sites="*", act=dict(type="DyReLUC", init="default"))], input_size)
    before = copy.deepcopy(model.state_dict())
    model.init_weights()
    after = model.state_dict()
    placed = [name for name, module in model.named_modules() if isinstance(module, DyReLU)]
    ours = {key for key in after if key.startswith(tuple(f"{name}." for name in placed))}
    assert len(ours) == 5 * len(placed)
    assert all(torch.equal(after[key], before[key]) for key in ours)
    assert not torch.equal(after["backbone.conv1.weight"], before["backbone.conv1.weight"])


@pytest.mark.parametrize("name", ["hrnet", "resnet50", "mobilenetv2", "shufflenetv2"])
def test_frozen_stages_freeze_their_new_layers(build, input_size, name):
    model = build(name, frozen_stages=1)
    placements = place(model, BACKBONE, input_size)
    first = {
        "hrnet": ("backbone.relu", "backbone.layer1.", "backbone.transition1."),
        "resnet50": ("backbone.relu", "backbone.layer1."),
        "mobilenetv2": ("backbone.conv1.", "backbone.layer1."),
        "shufflenetv2": ("backbone.conv1.", "backbone.layers.0."),
    }[name]
    for placement in placements:
        free = [p.requires_grad for p in placement.layer.parameters()]
        assert free == [not placement.site.name.startswith(first)] * 4, placement.site.name


def test_modules_that_were_in_evaluation_stay_so(build, input_size):
    model = build("resnet18", frozen_stages=1)
    model.backbone.layer2[0].bn1.eval()
    model.backbone.layer3.eval()
    place(model, BACKBONE, input_size)
    evaluated = ("relu", "bn1", "layer1", "layer2.0.bn1", "layer3")  # and what is inside
    for name, module in model.backbone.named_modules():
        assert module.training is not f"{name}.".startswith(tuple(f"{n}." for n in evaluated)), name


def test_optimizer_reaches_every_new_parameter_by_its_name(build, input_size):
    model = build("hrnet")
    place(model, BACKBONE, input_size)
    config = dict(
        optimizer=dict(type="Adam", lr=1e-3, weight_decay=0.1),
        paramwise_cfg=dict(custom_keys={"relu": dict(decay_mult=0.0)}),
    )
    groups = build_optim_wrapper(model, config).optimizer.param_groups
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert {name: decays[id(p)] for name, p in model.named_parameters()} == {
        name: 0.0 if "relu" in name else 0.1 for name, _ in model.named_parameters()
    }


def test_ema_copy_is_independent_and_equal(build, images, input_size):
    model = build("hrnet")
    place(model, MOVING, input_size)
    average = ExponentialMovingAverage(model, momentum=0.5)
    name, start = next((n, p.clone()) for n, p in model.named_parameters() if "relu1.fc1" in n)
    average.update_parameters(model)  # the first update copies
    with torch.no_grad():
        model.get_parameter(name).add_(1)
    average.update_parameters(model)
    torch.testing.assert_close(average.module.get_parameter(name), start + 0.5)
    assert run(average.module, images).shape == run(model, images).shape


def test_state_dict_round_trip_and_pickle(build, images, input_size):
    model, other = build("hrnet"), build("hrnet")
    place(model, MOVING, input_size)
    place(other, MOVING, input_size)
    other.load_state_dict(model.state_dict(), strict=True)
    clone = pickle.loads(pickle.dumps(model))
    for each in (model, other, clone):
        each.eval()
    with torch.no_grad():
        expected = run(model, images)
        assert torch.equal(run(other, images), expected)
        assert torch.equal(run(clone, images), expected)


@pytest.mark.parametrize("name", ["hrnet", "resnet50"])
def test_activation_checkpointing_changes_no_gradient(build, images, input_size, name):
    gradients = []
    for variant in (name, f"{name}_cp"):
        model = build(variant)
        place(model, MOVING, input_size)
        run(model, images).square().mean().backward()
        gradients.append({n: p.grad for n, p in model.named_parameters()})
    plain, checkpointed = gradients
    assert all(torch.equal(plain[key], checkpointed[key]) for key in plain)


def test_compiles_without_graph_breaks(build, images, input_size):
    model = build("resnet18")
    place(model, MOVING, input_size)
    model.eval()
    torch.compiler.reset()
    compiled = torch.compile(model.backbone, fullgraph=True, backend="eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(images), model.backbone(images))


def test_a_model_is_built_in_inference_mode(build, images, input_size):
    with torch.inference_mode():
        model, relu = build("resnet18"), build("resnet18")
        place(model, [dict(sites="*", act=dict(type="DyReLUB"), fuse_norm=True)], input_size)
        torch.testing.assert_close(run(model.eval(), images), run(relu.eval(), images))


def test_hooks_of_an_activation_go_to_its_layer():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    seen = []
    handles = [
        model[1].register_forward_pre_hook(lambda module, args: seen.append("before")),
        model[1].register_forward_hook(lambda module, args, output: seen.append(type(module))),
        model[1].register_forward_hook(
            lambda module, args, kwargs, output: seen.append(kwargs), with_kwargs=True
        ),
        model[1].register_full_backward_hook(lambda module, *gradients: seen.append("backward")),
    ]
    place(model, [dict(sites="*", act=B)], (16, 16))
    seen.clear()
    model(torch.randn(1, 3, 16, 16)).sum().backward()
    assert seen == ["before", DyReLUB, {}, "backward"]
    for handle in handles:
        handle.remove()
    seen.clear()
    model(torch.randn(1, 3, 16, 16)).sum().backward()
    assert not seen


class Recorder:
    """Keeps the classes of the modules that it was called by."""

    def __init__(self):
        self.seen = []

    def __call__(self, module, args, output):
        self.seen.append(type(module))


def test_hooks_of_a_shared_activation_run_at_each_of_its_calls():
    model = backbones.ResNet(18, stem_channels=8, base_channels=8)
    recorder = Recorder()
    model.layer1[0].relu.register_forward_hook(recorder)
    rule = dict(sites="layer1.0.relu2", act=B)
    place(model, [rule], (32, 32), forward=lambda model, images: model(images))
    recorder.seen.clear()
    model(torch.randn(2, 3, 32, 32))
    assert recorder.seen == [nn.ReLU, DyReLUB]
