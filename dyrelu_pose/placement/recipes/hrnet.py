"""HRNet and HRFormer: fused resolutions, each of its own width, and a stem of two activations."""

from collections.abc import Sequence

from mmpose.models.backbones.hrformer import HRFomerModule, HRFormer
from mmpose.models.backbones.hrnet import HRModule, HRNet
from torch import Tensor, nn

from dyrelu_pose.placement.registry import register_split

from .parts import freeze, rows


@register_split(HRModule, relu=rows)
class SplitHRModule(HRModule):
    """An HRModule with one activation per fused resolution: their widths differ."""

    fuse_layers: Sequence[nn.ModuleList]  # None for one branch

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        if self.num_branches == 1:
            return super().forward(x)
        maps = [branch(y) for branch, y in zip(self.branches, x, strict=True)]
        return [
            getattr(self, f"relu{i + 1}")(
                sum(maps[j] if i == j else row[j](maps[j]) for j in range(self.num_branches))
            )
            for i, row in enumerate(self.fuse_layers)
        ]


@register_split(HRFomerModule, relu=rows)
class SplitHRFomerModule(SplitHRModule, HRFomerModule):
    """The same for the module of HRFormer, whose name MMPose spells so."""


@register_split(HRNet, relu=2)
class SplitHRNet(HRNet):
    """An HRNet with one activation after each convolution of its stem."""

    relu1: nn.Module
    relu2: nn.Module

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.relu1(self.norm1(self.conv1(x)))
        x = self.relu2(self.norm2(self.conv2(x)))
        maps = [self.layer1(x)]
        for stage in (2, 3, 4):
            # A branch continues the map of its resolution; a new or wider one starts from the last.
            transitions = getattr(self, f"transition{stage - 1}")
            maps = getattr(self, f"stage{stage}")(
                [
                    maps[i] if change is None else change(maps[-1])
                    for i, change in enumerate(transitions)
                ]
            )
        return tuple(maps)

    def _freeze_stages(self) -> None:
        super()._freeze_stages()
        # The parent calls this while it is being built too, but then as HRNet, not as this class.
        if self.frozen_stages >= 0:
            freeze(self.relu1)
            freeze(self.relu2)


@register_split(HRFormer, relu=2)
class SplitHRFormer(SplitHRNet, HRFormer):
    """An HRFormer, which has the stem of HRNet."""
