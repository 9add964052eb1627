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


def resnet(depth, **options):
    return dict(type="ResNet", depth=depth, stem_channels=16, base_channels=16, **options)


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


# name -> backbone, width of its last map
BACKBONES = {
    "hrnet": (hrnet(), 8),
    "hrnet_all-scales": (hrnet(multiscale_output=True), 64),
    "hrnet_bottleneck": (hrnet("BOTTLENECK"), 32),
    "hrnet_cp": (hrnet(with_cp=True), 8),
    "resnet18": (resnet(18), 128),
    "resnet50": (resnet(50), 512),
    "resnet50_caffe": (resnet(50, style="caffe"), 512),
    "resnet50_cp": (resnet(50, with_cp=True), 512),
    "resnetv1d50": ({**resnet(50), "type": "ResNetV1d"}, 512),
    "litehrnet": (litehrnet(), 16),
    "litehrnet_naive": (litehrnet("NAIVE"), 16),
    "litehrnet_unfused": (litehrnet(with_fuse=False), 16),
    "mobilenetv2": (dict(type="MobileNetV2", widen_factor=0.25), 1280),
    "shufflenetv2": (dict(type="ShuffleNetV2", widen_factor=0.5), 1024),
}


@pytest.fixture
def build():
    """A function that builds an estimator.

    Takes a name in BACKBONES or a backbone config, and the width of what the head gets. ``options``
    are added to the backbone config.
    """

    def build_estimator(backbone, channels=None, *, neck=None, head=None, **options):
        if isinstance(backbone, str):
            backbone, width = BACKBONES[backbone]
            channels = channels or width
        torch.manual_seed(0)
        model = TopdownPoseEstimator(
            backbone={**copy.deepcopy(backbone), **options},
            neck=neck,
            head=dict(
                type="HeatmapHead",
                in_channels=channels,
                out_channels=17,
                loss=dict(type="KeypointMSELoss"),
                **(head or dict(deconv_out_channels=None)),
            ),
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
    """The size of ``images`` in the order of MMPose's codecs, (W, H)."""
    return 64, 96
