"""HourglassNet: one activation between each two of its stacks."""

from mmpose.models.backbones.hourglass import HourglassNet
from torch import Tensor

from dyrelu_pose.placement.registry import register_split


@register_split(HourglassNet, relu=lambda net: net.num_stacks - 1)
class SplitHourglassNet(HourglassNet):
    """A HourglassNet with one activation before each stack but the first."""

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        maps = []
        for i, hourglass in enumerate(self.hourglass_modules):
            maps.append(self.out_convs[i](hourglass(x)))
            if i < self.num_stacks - 1:
                x = self.conv1x1s[i](x) + self.remap_convs[i](maps[i])
                x = self.inters[i](getattr(self, f"relu{i + 1}")(x))
        return maps
