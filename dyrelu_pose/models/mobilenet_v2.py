"""MobileNetV2 with an activation site behind the projection of its blocks."""

from mmpose.models.backbones import MobileNetV2
from mmpose.models.backbones.mobilenet_v2 import InvertedResidual
from mmpose.registry import MODELS
from torch import nn


@MODELS.register_module()
class MobileNetV2WithProjectSites(MobileNetV2):
    """MMPose's `MobileNetV2`, whose linear projections are followed by a site; same arguments.

    MobileNetV2 has no activation behind the 1x1 convolution that narrows, the third place where
    the paper (arXiv 2003.10027) tries DyReLU. Here is one of slope 1 on both sides, the identity:
    function and state dict are those of MobileNetV2 until a rule puts something at
    `backbone.layer*.*.conv.project`.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for block in self.modules():
            if isinstance(block, InvertedResidual):
                block.conv.add_module("project", nn.LeakyReLU(negative_slope=1.0))
