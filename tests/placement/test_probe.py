"""The probe sees every activation a model runs, and leaves no trace in the model."""

import copy
import random
import threading

import numpy as np
import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn

from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.placement import PlacementError, Site, place, probe, split_shared

SIZE = (8, 6)  # (W, H)


def names(sites):
    return [site.name for site in sites]


HRNET_W32 = dict(
    type="HRNet",
    extra=dict(
        stage1=dict(
            num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(4,), num_channels=(64,)
        ),
        stage2=dict(
            num_modules=1, num_branches=2, block="BASIC", num_blocks=(4,) * 2, num_channels=(32, 64)
        ),
        stage3=dict(
            num_modules=4,
            num_branches=3,
            block="BASIC",
            num_blocks=(4,) * 3,
            num_channels=(32, 64, 128),
        ),
        stage4=dict(
            num_modules=3,
            num_branches=4,
            block="BASIC",
            num_blocks=(4,) * 4,
            num_channels=(32, 64, 128, 256),
        ),
    ),
)


@pytest.mark.parametrize(
    ("backbone", "channels", "count"),
    [
        (HRNET_W32, 32, 261),
        (dict(type="ResNet", depth=18), 512, 17),  # 1 in the stem + 2 per block
        (dict(type="ResNet", depth=34), 512, 33),
        (dict(type="ResNet", depth=50), 2048, 49),  # 1 in the stem + 3 per block
        (dict(type="ResNet", depth=101), 2048, 100),
        (dict(type="ResNet", depth=152), 2048, 151),
        (dict(type="MobileNetV2"), 1280, 35),  # 1 + 1 + 2 per block with expansion (16) + 1
        (dict(type="ShuffleNetV2"), 1024, 37),  # 1 + 2 per block (16) + 1 per downsampling (3) + 1
    ],
    ids=["hrnet-w32", "res18", "res34", "res50", "res101", "res152", "mobilenetv2", "shufflenetv2"],
)
def test_number_of_sites(build, backbone, channels, count):
    sites = probe(build(backbone, channels), (192, 256))
    assert len(sites) == count
    assert len(set(names(sites))) == count
    assert all(site.name.startswith("backbone.") and site.kind.startswith("ReLU") for site in sites)


def test_hrnet_w32_sites(build):
    sites = {site.name: site for site in probe(build(HRNET_W32, 32), (192, 256))}
    assert sites["backbone.relu1"] == Site("backbone.relu1", 64, (128, 96), "ReLU")
    assert sites["backbone.layer1.0.relu3"] == Site(
        "backbone.layer1.0.relu3", 256, (64, 48), "ReLU"
    )
    widths = [sites[f"backbone.stage4.0.relu{i}"].channels for i in (1, 2, 3, 4)]
    assert widths == [32, 64, 128, 256]


@pytest.mark.parametrize("name", ["hrnet", "resnet50_caffe", "litehrnet", "shufflenetv2"])
def test_meta_pass_sees_what_a_real_pass_sees(build, images, input_size, name):
    model = build(name)
    sites = probe(model, input_size)
    split_shared(model)
    seen = []
    for site in sites:
        model.get_submodule(site.name).register_forward_hook(
            lambda module, args, output, name=site.name: seen.append((name, *output.shape[1:]))
        )
    model(images, None, mode="tensor")
    runs = dict.fromkeys(seen)  # LiteHRNet runs some fusions twice
    assert list(runs) == [(site.name, site.channels, *site.size) for site in sites]


def test_head_with_deconvolutions_and_convolutions(build, input_size):
    head = dict(
        deconv_out_channels=(32, 24),
        deconv_kernel_sizes=(4, 4),
        conv_out_channels=(20,),
        conv_kernel_sizes=(3,),
    )
    sites = probe(build("resnet18", head=head), input_size)
    assert [
        (site.name, site.channels, site.size) for site in sites if site.name.startswith("head.")
    ] == [
        ("head.deconv_layers.2", 32, (6, 4)),
        ("head.deconv_layers.5", 24, (12, 8)),
        ("head.conv_layers.2", 20, (12, 8)),
    ]


def test_neck(build, input_size):
    neck = dict(type="ChannelMapper", in_channels=[128], out_channels=24)
    sites = probe(build("resnet18", 24, neck=neck), input_size)
    assert sites[-1] == Site("neck.convs.0.activate", 24, (3, 2), "ReLU")


def test_gates_of_squeeze_and_excitation_are_no_sites(build, input_size):
    """MobileNetV3: every activation but those of its SE layers, which see 1x1 maps."""
    model = build(dict(type="MobileNetV3", arch="small"), 96, out_indices=(10,))
    activations = {
        name for name, module in model.named_modules() if type(module) in (nn.ReLU, nn.Hardswish)
    }
    gates = {name for name in activations if ".se." in name}
    assert gates
    assert set(names(probe(model, input_size))) == activations - gates


@pytest.mark.parametrize("training", [True, False])
def test_model_and_random_state_are_untouched(build, input_size, training):
    model = build("hrnet", norm_eval=True, frozen_stages=1)
    model.train(training)
    flags = [(name, type(module), module.training) for name, module in model.named_modules()]
    state = copy.deepcopy(model.state_dict())
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    python_state = random.getstate()

    probe(model, input_size)

    assert flags == [(n, type(module), module.training) for n, module in model.named_modules()]
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])
    assert python_state == random.getstate()


def test_probe_copies_no_weight(build, input_size, monkeypatch):
    def refuse(parameter, memo):
        raise AssertionError("a weight was copied")

    model = build("hrnet")
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", refuse)
    assert probe(model, input_size)


def test_probe_runs_in_evaluation_mode():
    """Batch norm in training mode refuses a single value per channel."""
    model = nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3))
    assert names(probe(model, SIZE)) == ["0"]


def test_sync_batch_norm(build, input_size):
    plain = probe(build("hrnet"), input_size)
    assert probe(build("hrnet", norm_cfg=dict(type="SyncBN")), input_size) == plain


@pytest.mark.parametrize(
    ("activation", "is_site"),
    [
        (nn.ReLU6(), True),
        (nn.LeakyReLU(), True),
        (nn.PReLU(), True),
        (nn.Hardswish(), True),
        (nn.SiLU(), True),
        (nn.GELU(), True),
        (nn.ELU(), True),
        (DyReLUB(4), True),
        (nn.Sigmoid(), False),
        (nn.Hardsigmoid(), False),
        (nn.Softmax(1), False),
    ],
    ids=lambda value: str(value).partition("(")[0],
)
def test_sites_are_of_the_relu_family(activation, is_site):
    sites = probe(nn.Sequential(nn.Conv2d(3, 4, 1), activation), SIZE)
    assert sites == ([Site("1", 4, (6, 8), type(activation).__name__)] if is_site else [])


@pytest.mark.parametrize(
    "front",
    [[nn.Flatten(2), nn.Linear(48, 5)], [nn.AdaptiveAvgPool2d(1)], [nn.Flatten()]],
    ids=["tokens", "single cell", "vector"],
)
def test_only_maps_hold_sites(front):
    assert probe(nn.Sequential(*front, nn.ReLU()), SIZE) == []


@pytest.mark.parametrize("size", [64, (64,), (64, 48, 3), (0, 48), (64.0, 48), "64"])
def test_an_input_size_that_is_none_is_named(size):
    with pytest.raises(PlacementError, match=r"input_size is .*: it has to be \(W, H\)"):
        probe(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()), size)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.act(x))


def test_unsplit_share_is_named():
    (site,) = probe(nn.Sequential(Shared()), SIZE)
    assert site.obstacle.startswith("0.act runs 2 times per pass of Shared; register a split")


def test_one_module_under_two_names_is_named():
    act = nn.ReLU()
    (site,) = probe(nn.Sequential(nn.Conv2d(3, 4, 1), act, nn.Conv2d(4, 8, 1), act), SIZE)
    assert site.obstacle == "1 is one module with 3; build one activation for each"


class Slices(nn.Module):
    """Keeps all its layers in one container, and runs slices of it."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.first, self.second = self.layers[:2], self.layers[2:]

    def forward(self, x):
        return self.second(self.first(x))


def test_slices_of_a_container_run_its_activations():
    layers = nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.ReLU()
    sites = probe(Slices(*layers), SIZE)
    assert [(site.name, site.channels, site.obstacle) for site in sites] == [
        ("layers.1", 4, None),
        ("layers.3", 8, None),
    ]
    site, *_ = probe(Slices(*layers[:3], layers[1]), SIZE)
    assert site.obstacle.startswith("layers.1 is one module with layers.3, first.1, second.3; ")


class SharedInTraining(nn.Module):
    """Calls its activation in a branch that is there in training alone as well."""

    def __init__(self):
        super().__init__()
        self.act, self.branch = nn.ReLU(), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        y = self.act(x)
        return (y, self.act(self.branch(x))) if self.training else y


def test_a_call_in_training_alone_is_named():
    (site,) = probe(SharedInTraining(), SIZE)
    assert site.obstacle.startswith("in training, act runs 2 times per pass of SharedInTraining; ")


def test_one_block_under_two_names_is_one_site():
    block = ConvModule(3, 3, 1)
    model = nn.ModuleDict(dict(first=block, again=block))
    (site,) = probe(model, SIZE, lambda model, images: model["again"](images))
    assert site == Site("first.activate", 3, (6, 8), "ReLU")


class Pyramid(nn.Module):
    """Runs one tower on two scales, as detection heads do."""

    def __init__(self, tower):
        super().__init__()
        self.towers = nn.ModuleList([tower])

    def forward(self, x):
        return [tower(level) for level in (x[..., ::2], x) for tower in self.towers]


def test_weights_shared_between_scales_are_one_site_at_the_larger_scale():
    (site,) = probe(Pyramid(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())), SIZE)
    assert site == Site("towers.0.1", 4, (6, 8), "ReLU")


def test_activation_in_a_list_is_owned_by_the_module_that_runs_it():
    (site,) = probe(Pyramid(nn.ReLU()), SIZE)
    assert site.obstacle.startswith("towers.0 runs 2 times per pass of Pyramid")


class TwoWidths(nn.Module):
    def __init__(self):
        super().__init__()
        self.tail = nn.Sequential(nn.ReLU())

    def forward(self, x):
        return self.tail(x), self.tail(x[:, :2])


def test_one_activation_on_two_widths_is_named():
    (site,) = probe(TwoWidths(), SIZE)
    assert site.obstacle.startswith("tail.0 sees maps of [2, 3] channels")


class ReadsValues(nn.Module):
    """Cannot run on the meta device, and draws a random number."""

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(x * (torch.rand(()).item() + x.max().item()))


def test_forward_that_reads_values_is_probed_on_the_cpu():
    state = torch.get_rng_state()
    assert probe(ReadsValues(), SIZE) == [Site("act", 3, (6, 8), "ReLU")]
    assert torch.equal(state, torch.get_rng_state())


def test_layers_that_get_their_width_when_they_run():
    model = nn.Sequential(nn.LazyConv2d(4, 1), nn.ReLU(inplace=True))
    place(model, [dict(sites="*", act=dict(type="DyReLUB"))], SIZE)
    assert model[1].channels == 4
    x = torch.randn(2, 3, 6, 8)
    assert torch.equal(model(x), model[:1](x).relu())


def test_failing_forward_is_reported_with_the_input_size():
    message = (
        r"Sequential cannot be probed: .* 8x6 pixels \(WxH\) fails in 0 with RuntimeError: .*4.*"
        "; if its input is not an image .*`forward`"
    )
    with pytest.raises(PlacementError, match=message):
        probe(nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU()), SIZE)


def test_a_model_that_cannot_be_copied_says_so():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    model.lock = threading.Lock()
    message = (
        "Sequential cannot be probed, for which it is copied: that fails with TypeError: .*lock"
    )
    with pytest.raises(PlacementError, match=message):
        probe(model, SIZE)


def test_an_activation_that_is_called_by_keyword_says_so():
    class ByKeyword(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(input=x)

    with pytest.raises(PlacementError, match="TypeError: relu gets its map as a keyword argument"):
        probe(ByKeyword(), SIZE)


def test_own_forward_is_used():
    gray = nn.Sequential(nn.Conv2d(1, 8, 1), nn.ReLU())
    (site,) = probe(gray, SIZE, lambda model, images: model(images[:, :1]))
    assert site.channels == 8


def test_pending_dyrelu_is_a_site_wherever_it_is():
    model = nn.Sequential(
        ConvModule(3, 4, 1, act_cfg=dict(type="DyReLUB")),
        nn.AdaptiveAvgPool2d(1),
        DyReLUB(),
    )
    assert probe(model, SIZE) == [
        Site("0.activate", 4, (6, 8), "DyReLUB", pending=True),
        Site("2", 4, (1, 1), "DyReLUB", pending=True),
    ]
    assert model[2].channels is None


def test_pending_dyrelu_that_never_runs_is_an_error():
    model = nn.ModuleDict(dict(used=nn.ReLU(), unused=DyReLUB()))
    with pytest.raises(PlacementError, match="unused is a DyReLUB without channels"):
        probe(model, SIZE, lambda model, images: model["used"](images))
