"""MobileNets that MMPose's arguments do not make: V2 for few weights, V3 as the paper has it."""

from mmpose.models.backbones import MobileNetV2, MobileNetV3
from mmpose.registry import MODELS


@MODELS.register_module()
class MobileNetV2WithoutLastConv(MobileNetV2):
    """MMPose's `MobileNetV2` without its layer of 1280 channels, which is its last output.

    Of a narrow network that layer is the greater part. The arguments are the same, but
    `out_indices` end at 6, and that is their default.
    """

    def __init__(self, widen_factor: float = 1.0, out_indices=(6,), *args, **kwargs) -> None:
        super().__init__(widen_factor, out_indices, *args, **kwargs)
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
