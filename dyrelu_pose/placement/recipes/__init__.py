"""Splits for the blocks of MMPose that share an activation, or call one as a function.

Each `forward` does what its parent's does in MMPose 1.3.2, to the bit. One file per family of
blocks. What is not here shares nothing and needs no split: MobileNetV2 and V3, ShuffleNetV1 and
V2, CSPNeXt, CSPDarknet, RSN, VGG, AlexNet, CPM, HourglassAENet, PVT, Swin; every head but CIDHead.
"""

from . import heads, hrnet, litehrnet, necks, resnet, stacked

__all__ = ["heads", "hrnet", "litehrnet", "necks", "resnet", "stacked"]
