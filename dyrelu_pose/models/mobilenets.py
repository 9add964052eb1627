"""MobileNets as the paper (arXiv 2003.10027) equips them with DyReLU."""

from mmpose.models.backbones import MobileNetV2, MobileNetV3
from mmpose.models.backbones.mobilenet_v2 import InvertedResidual
from mmpose.registry import MODELS
from torch import nn


@MODELS.register_module()
class MobileNetV2WithProjectSites(MobileNetV2):
    """MMPose's `MobileNetV2`, whose linear projections are followed by a site; same arguments.

    MobileNetV2 has no activation behind the 1x1 convolution that narrows, the third place where
    the paper tries DyReLU. Here is one of slope 1 on both sides, the identity: function and state
    dict are those of MobileNetV2 until a rule puts something at
    `backbone.layer*.*.conv.project`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for block in self.modules():
            if isinstance(block, InvertedResidual):
                block.conv.add_module("project", nn.LeakyReLU(negative_slope=1.0))


@MODELS.register_module()
class MobileNetV2WithoutLastConv(MobileNetV2):
    """MMPose's `MobileNetV2` without its layer of 1280 channels; the same arguments.

    Of a narrow network that layer is the greater part. `out_indices` end at 6.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        del self.conv2
        self.layers.remove("conv2")


@MODELS.register_module()
class MobileNetV3WithoutSE(MobileNetV3):
    """MMPose's `MobileNetV3` without its squeeze-and-excitation; the same arguments.

    DyReLU weighs channels by what the whole map holds, as squeeze-and-excitation does, so the
    paper (reported second-hand) takes the latter out where it puts DyReLU in.
    """

    # Per block: kernel size, expanded channels, channels out, with SE, activation, stride.
    arch_settings = {
        arch: [[*block[:3], False, *block[4:]] for block in blocks]
        for arch, blocks in MobileNetV3.arch_settings.items()
    }
