"""Splits for the blocks of MMPose that share an activation.

Each ``forward`` does what its parent's does in MMPose 1.3.2 (``mmpose/models/backbones``), to the
bit. MobileNetV2, ShuffleNetV2 and the heads with deconvolutions share nothing and need no split.
"""

from collections.abc import Callable

from mmpose.models.backbones.hrnet import HRModule, HRNet
from mmpose.models.backbones.litehrnet import LiteHRModule
from mmpose.models.backbones.resnet import BasicBlock, Bottleneck, ResNet
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .split import register_split


@register_split(BasicBlock, relu=2)
class SplitBasicBlock(BasicBlock):
    """A BasicBlock with one activation inside its residual branch and one after the sum."""

    def forward(self, x: Tensor) -> Tensor:
        def residual(x: Tensor) -> Tensor:
            out = self.relu1(self.norm1(self.conv1(x)))
            out = self.norm2(self.conv2(out))
            out += x if self.downsample is None else self.downsample(x)
            return out

        return self.relu2(_checkpointed(self, residual, x))


@register_split(Bottleneck, relu=3)
class SplitBottleneck(Bottleneck):
    """A Bottleneck with two narrow activations in its residual branch and a wide one at the end."""

    def forward(self, x: Tensor) -> Tensor:
        def residual(x: Tensor) -> Tensor:
            out = self.relu1(self.norm1(self.conv1(x)))
            out = self.relu2(self.norm2(self.conv2(out)))
            out = self.norm3(self.conv3(out))
            out += x if self.downsample is None else self.downsample(x)
            return out

        return self.relu3(_checkpointed(self, residual, x))


@register_split(ResNet)
class SplitResNet(ResNet):
    """A ResNet whose stem is frozen together with its activation, which is unshared already."""

    def _freeze_stages(self) -> None:
        super()._freeze_stages()
        if self.frozen_stages >= 0 and not self.deep_stem:
            _freeze(self.relu)


def _rows(module: nn.Module) -> int:
    """Number of fused outputs, each followed by one activation; nothing fused: none."""
    return len(getattr(module, "fuse_layers", None) or ())


@register_split(HRModule, relu=_rows)
class SplitHRModule(HRModule):
    """An HRModule with one activation per fused resolution: their widths differ."""

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


@register_split(HRNet, relu=2)
class SplitHRNet(HRNet):
    """An HRNet with one activation after each convolution of its stem."""

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
            _freeze(self.relu1)
            _freeze(self.relu2)


@register_split(LiteHRModule, relu=_rows)
class SplitLiteHRModule(LiteHRModule):
    """A LiteHRModule with one activation per fused resolution."""

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


def _checkpointed(block: nn.Module, function: Callable, x: Tensor) -> Tensor:
    """Run ``function(x)``, recomputing it in backward where the block was built ``with_cp``."""
    if block.with_cp and x.requires_grad:
        return checkpoint(function, x, use_reentrant=False)
    return function(x)


def _freeze(module: nn.Module) -> None:
    module.eval()
    module.requires_grad_(False)
