"""Small MMPose estimators, one for every kind of block that placement has to deal with."""

import copy

import pytest
import torch

import dyrelu_pose  # noqa: F401  makes MMPose importable, so it comes first

from mmpose.models import TopdownPoseEstimator  # isort: skip


def hrnet(block="BASIC", multiscale_output=False, **options):
    widths = (8, 16, 32, 64)
    stages = {
        f"stage{n}": dict(
            num_modules=1,
            num_branches=n,
            block=block,
            num_blocks=(1,) * n,
            num_channels=widths[:n],
        )
        for n in (2, 3, 4)
    }
    stages["stage4"]["multiscale_output"] = multiscale_output
    stages["stage1"] = dict(
        num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(1,), num_channels=(8,)
    )
    return dict(type="HRNet", extra=stages, **options)


def resnet(depth, kind="ResNet", **options):
    return dict(type=kind, depth=depth, stem_channels=16, base_channels=16, **options)


def resnext(kind):
    return resnet(50, kind, groups=4, width_per_group=4)


def litehrnet(module_type="LITE", with_fuse=True):
    spec = dict(
        num_modules=(1, 1, 1),
        num_branches=(2, 3, 4),
        num_blocks=(1, 1, 1),
        module_type=(module_type,) * 3,
        with_fuse=(with_fuse,) * 3,
        reduce_ratios=(8, 8, 8),
        num_channels=((16, 32), (16, 32, 64), (16, 32, 64, 128)),
    )
    stem = dict(stem_channels=16, out_channels=16, expand_ratio=1)
    extra = dict(stem=stem, num_stages=3, stages_spec=spec, with_head=False)
    return dict(type="LiteHRNet", extra=extra)


def hrformer():
    stages = {
        f"stage{n}": dict(
            num_modules=1,
            num_branches=n,
            block="HRFORMERBLOCK",
            num_blocks=(1,) * n,
            num_channels=(8, 16, 32, 64)[:n],
            num_heads=(1, 1, 2, 2)[:n],
            mlp_ratios=(2,) * n,
            window_sizes=(7,) * n,
        )
        for n in (2, 3, 4)
    }
    stages["stage1"] = dict(
        num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(1,), num_channels=(8,)
    )
    return dict(type="HRFormer", extra=dict(drop_path_rate=0.1, with_rpe=False, **stages))


def multi_stage(kind, **options):
    """MSPN or RSN: maps of four scales from each of two stages."""
    return dict(
        type=kind,
        unit_channels=64,
        num_stages=2,
        num_units=4,
        num_blocks=[1] * 4,
        res_top_channels=64,
        **options,
    )


def maps(output):
    """All tensors of a backbone's output, which may be nested: number -> tensor."""
    tensors, rest = [], [output]
    while rest:
        entry = rest.pop(0)
        if isinstance(entry, torch.Tensor):
            tensors.append(entry)
        else:
            rest = [*entry, *rest]
    return dict(enumerate(tensors))


def assert_same(ours, theirs):
    """Equal tensors under equal keys."""
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert torch.equal(ours[key], value), key


def hourglass(kind, channels, **options):
    return dict(type=kind, downsample_times=2, stage_channels=channels, **options)


NARROW = dict(widen_factor=0.125, deepen_factor=0.33)
REGNET = dict(w0=24, wa=24.48, wm=2.54, group_w=8, depth=22, bot_mul=1.0)

# name -> backbone, width of its last map
BACKBONES = {
    "alexnet": (dict(type="AlexNet"), 256),
    "cpm": (dict(type="CPM", in_channels=3, out_channels=5, feat_channels=8, num_stages=2), 5),
    "cspdarknet": (dict(type="CSPDarknet", **NARROW), 128),
    "cspnext": (dict(type="CSPNeXt", **NARROW), 128),
    "hourglass": (hourglass("HourglassNet", (256,) * 3, stage_blocks=(1,) * 3, num_stacks=2), 256),
    "hourglass_ae": (
        hourglass("HourglassAENet", (16, 16, 24), feat_channels=16, num_stacks=1, out_channels=5),
        5,
    ),
    "hrformer": (hrformer(), 8),
    "hrnet": (hrnet(), 8),
    "hrnet_all-scales": (hrnet(multiscale_output=True), 64),
    "hrnet_bottleneck": (hrnet("BOTTLENECK"), 32),
    "hrnet_cp": (hrnet(with_cp=True), 8),
    "resnet18": (resnet(18), 128),
    "resnet50": (resnet(50), 512),
    "resnet50_caffe": (resnet(50, style="caffe"), 512),
    "resnet50_cp": (resnet(50, with_cp=True), 512),
    "resnetv1d50": (resnet(50, "ResNetV1d"), 512),
    "litehrnet": (litehrnet(), 16),
    "litehrnet_naive": (litehrnet("NAIVE"), 16),
    "litehrnet_unfused": (litehrnet(with_fuse=False), 16),
    "mobilenetv2": (dict(type="MobileNetV2", widen_factor=0.25), 1280),
    "mobilenetv3": (dict(type="MobileNetV3", arch="small"), 96),
    "mspn": (multi_stage("MSPN"), 64),
    "pvt": (dict(type="PyramidVisionTransformer", embed_dims=16, num_layers=[1] * 4), 128),
    "pvtv2": (dict(type="PyramidVisionTransformerV2", embed_dims=16, num_layers=[1] * 4), 128),
    "regnet": (dict(type="RegNet", arch=REGNET), 392),
    "resnest50": (resnet(50, "ResNeSt"), 512),
    "resnext50": (resnext("ResNeXt"), 512),
    "rsn": (multi_stage("RSN", num_steps=4), 64),
    "scnet50": (resnet(50, "SCNet", strides=(1, 2, 1, 1)), 512),
    "seresnet50": (resnet(50, "SEResNet"), 512),
    "seresnext50": (resnext("SEResNeXt"), 512),
    "shufflenetv1": (dict(type="ShuffleNetV1", groups=3), 960),
    "shufflenetv2": (dict(type="ShuffleNetV2", widen_factor=0.5), 1024),
    "vgg11": (dict(type="VGG", depth=11), 512),
    "vgg11_bn": (dict(type="VGG", depth=11, norm_cfg=dict(type="BN")), 512),
    "vipnas_mobilenetv3": (dict(type="ViPNAS_MobileNetV3"), 160),
    "vipnas_resnet50": (dict(type="ViPNAS_ResNet", depth=50), 608),
}
MULTI_STAGE_HEAD = dict(
    type="MSPNHead",
    num_stages=2,
    num_units=4,
    out_shape=(24, 16),
    unit_channels=64,
    out_channels=17,
    level_indices=[0, 1, 2, 3] * 2,
    loss=[dict(type="KeypointMSELoss", use_target_weight=True)] * 8,
)


@pytest.fixture
def build():
    """A function that builds an estimator.

    Takes a name in BACKBONES or a backbone config, and the width of what the head gets. `options`
    are added to the backbone config.
    """

    def build_estimator(backbone, channels=None, *, neck=None, head=None, **options):
        if isinstance(backbone, str):
            backbone, width = BACKBONES[backbone]
            channels = channels or width
        torch.manual_seed(0)
        heatmap_head = dict(
            type="HeatmapHead",
            in_channels=channels,
            out_channels=17,
            loss=dict(type="KeypointMSELoss"),
            **(head or dict(deconv_out_channels=None)),
        )
        multi_stage = backbone["type"] in ("MSPN", "RSN")
        model = TopdownPoseEstimator(
            backbone={**copy.deepcopy(backbone), **options},
            neck=neck,
            head=copy.deepcopy(MULTI_STAGE_HEAD) if multi_stage else heatmap_head,
        )
        for module in model.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)  # as after some training
        return model

    return build_estimator


@pytest.fixture
def images():
    return torch.rand(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def input_size():
    """The size of `images` in the order of MMPose's codecs, (W, H)."""
    return 64, 96
