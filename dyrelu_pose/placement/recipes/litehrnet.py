"""LiteHRNet: fused resolutions, each of its own width."""

from collections.abc import Sequence

from mmpose.models.backbones.litehrnet import LiteHRModule
from torch import Tensor, nn

from dyrelu_pose.placement.registry import register_split

from .parts import rows


@register_split(LiteHRModule, relu=rows)
class SplitLiteHRModule(LiteHRModule):
    """A LiteHRModule with one activation per fused resolution."""

    fuse_layers: Sequence[nn.ModuleList]  # None for one branch

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        if self.num_branches == 1 or not self.with_fuse:
            return super().forward(x)
        if self.module_type.upper() == "LITE":
            maps = self.layers(x)
        else:
            maps = [layer(y) for layer, y in zip(self.layers, x, strict=True)]
        fused = []
        for i, row in enumerate(self.fuse_layers):
            # Row 0 sums in place into maps[0], doubling it first, and the later rows read that
            # sum. It looks like a slip, but released weights were trained with it.
            y = maps[0] if i == 0 else row[0](maps[0])
            for j, part in enumerate(maps):
                y += part if i == j else row[j](part)
            fused.append(getattr(self, f"relu{i + 1}")(y))
        return fused
