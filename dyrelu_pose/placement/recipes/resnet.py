"""ResNet and its kin: blocks with a residual branch, and stems that `frozen_stages` freezes.

ResNetV1d needs nothing of its own: its stem holds its activations, and they freeze with it.
"""

from typing import cast

import torch
from mmpose.models.backbones import (
    RegNet,
    ResNeXt,
    SCNet,
    SEResNet,
    SEResNeXt,
    ViPNAS_ResNet,
    mspn,
    resnest,
    resnext,
    seresnet,
    seresnext,
)
from mmpose.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from mmpose.models.backbones.scnet import SCBottleneck
from mmpose.models.backbones.vipnas_resnet import ViPNAS_Bottleneck
from torch import Tensor, nn

from dyrelu_pose.placement.registry import register_split

from .parts import checkpointed, freeze


@register_split(BasicBlock, relu=2)
class SplitBasicBlock(BasicBlock):
    """A BasicBlock with one activation inside its residual branch and one after the sum."""

    relu1: nn.Module
    relu2: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        return self.relu2(checkpointed(self, self._sum, x))

    def _sum(self, x: Tensor) -> Tensor:
        out = self.relu1(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return out


class _ThreeActivations(nn.Module):
    """A block with a branch of three convolutions, each followed by its own activation.

    The last activation comes after the sum of branch and shortcut. What follows the third norm
    inside the branch, such as an attention layer, is `_attend`.
    """

    conv1: nn.Module
    conv2: nn.Module
    conv3: nn.Module
    norm1: nn.Module
    norm2: nn.Module
    norm3: nn.Module
    relu1: nn.Module
    relu2: nn.Module
    relu3: nn.Module
    downsample: nn.Module | None

    def forward(self, x: Tensor) -> Tensor:
        return self.relu3(checkpointed(self, self._sum, x))

    def _sum(self, x: Tensor) -> Tensor:
        out = self.relu1(self.norm1(self.conv1(x)))
        out = self.relu2(self.norm2(self.conv2(out)))
        out = self._attend(self.norm3(self.conv3(out)))
        out += x if self.downsample is None else self.downsample(x)
        return out

    def _attend(self, out: Tensor) -> Tensor:
        return out


@register_split(Bottleneck, relu=3)
class SplitBottleneck(_ThreeActivations, Bottleneck):
    """A Bottleneck with two narrow activations in its residual branch and a wide one at the end."""


@register_split(resnext.Bottleneck, relu=3)
class SplitResNeXtBottleneck(_ThreeActivations, resnext.Bottleneck):
    """The Bottleneck of ResNeXt and RegNet."""


@register_split(mspn.Bottleneck, relu=3)
class SplitMSPNBottleneck(_ThreeActivations, mspn.Bottleneck):
    """The Bottleneck of MSPN."""


@register_split(seresnet.SEBottleneck, relu=3)
class SplitSEBottleneck(_ThreeActivations, seresnet.SEBottleneck):
    """The Bottleneck of SEResNet; the activation inside its SE layer sees a 1x1 map: no site."""

    def _attend(self, out: Tensor) -> Tensor:
        return self.se_layer(out)


@register_split(seresnext.SEBottleneck, relu=3)
class SplitSEResNeXtBottleneck(SplitSEBottleneck, seresnext.SEBottleneck):
    """The Bottleneck of SEResNeXt."""


@register_split(ViPNAS_Bottleneck, relu=3)
class SplitViPNASBottleneck(_ThreeActivations, ViPNAS_Bottleneck):
    """The Bottleneck of ViPNAS_ResNet, where only some stages have attention."""

    def _attend(self, out: Tensor) -> Tensor:
        return out if self.attention is None else self.attention(out)


@register_split(SCBottleneck, relu=3)
class SplitSCBottleneck(SCBottleneck):
    """A Bottleneck of SCNet: its branch has two halves, with an activation each."""

    relu1: nn.Module
    relu2: nn.Module
    relu3: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        return self.relu3(checkpointed(self, self._sum, x))

    def _sum(self, x: Tensor) -> Tensor:
        plain = self.k1(self.relu1(self.norm1(self.conv1(x))))
        calibrated = self.scconv(self.relu2(self.norm2(self.conv2(x))))
        out = self.norm3(self.conv3(torch.cat([plain, calibrated], dim=1)))
        out += x if self.downsample is None else self.downsample(x)
        return out


@register_split(resnest.Bottleneck, relu=2)
class SplitResNeStBottleneck(resnest.Bottleneck):
    """A Bottleneck of ResNeSt: the middle activation is inside its SplitAttentionConv2d."""

    relu1: nn.Module
    relu2: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        return self.relu2(checkpointed(self, self._sum, x))

    def _sum(self, x: Tensor) -> Tensor:
        out = self.conv2(self.relu1(self.norm1(self.conv1(x))))
        if self.avg_down_stride:
            out = self.avd_layer(out)
        out = self.norm3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return out


@register_split(resnest.SplitAttentionConv2d, relu=2)
class SplitSplitAttentionConv2d(resnest.SplitAttentionConv2d):
    """A SplitAttentionConv2d whose map, and whose gate on a 1x1 map, have an activation each."""

    relu1: nn.Module
    relu2: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.norm0(self.conv(x)))
        n, _, height, width = x.shape
        parts = x.view(n, self.radix, -1, height, width)  # (N, radix, C, H, W)
        gate = torch.nn.functional.adaptive_avg_pool2d(parts.sum(dim=1), 1)  # (N, C, 1, 1)
        gate = self.fc2(self.relu2(self.norm1(self.fc1(gate))))
        gate = self.rsoftmax(gate).view(n, self.radix, -1, 1, 1)
        return torch.sum(gate * parts, dim=1).contiguous()


class _FrozenStem(nn.Module):
    """A backbone whose stem freezes together with its activation, which is unshared already."""

    relu: nn.Module
    deep_stem: bool
    frozen_stages: int

    def _freeze_stages(self) -> None:
        cast(ResNet, super())._freeze_stages()  # or ViPNAS_ResNet, which is not a ResNet
        if self.frozen_stages >= 0 and not self.deep_stem:  # a deep stem freezes as a whole
            freeze(self.relu)


@register_split(ResNet)
class SplitResNet(_FrozenStem, ResNet):
    """A ResNet."""


@register_split(ResNeXt)
class SplitResNeXt(_FrozenStem, ResNeXt):
    """A ResNeXt."""


@register_split(RegNet)
class SplitRegNet(_FrozenStem, RegNet):
    """A RegNet."""


@register_split(SEResNet)
class SplitSEResNet(_FrozenStem, SEResNet):
    """An SEResNet."""


@register_split(SEResNeXt)
class SplitSEResNeXt(_FrozenStem, SEResNeXt):
    """An SEResNeXt."""


@register_split(SCNet)
class SplitSCNet(_FrozenStem, SCNet):
    """An SCNet."""


@register_split(ViPNAS_ResNet)
class SplitViPNASResNet(_FrozenStem, ViPNAS_ResNet):
    """A ViPNAS_ResNet."""
