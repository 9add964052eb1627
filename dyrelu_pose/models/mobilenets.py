"""MobileNetV3 as the paper (arXiv 2003.10027) equips it with DyReLU."""

from mmpose.models.backbones import MobileNetV3
from mmpose.registry import MODELS


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
