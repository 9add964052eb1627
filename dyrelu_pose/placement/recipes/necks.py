"""Necks that call `F.relu`: their splits have a module in its place."""

import torch.nn.functional as F
from mmpose.models.necks import FPN, FeatureMapProcessor
from torch import Tensor, nn

from dyrelu_pose.placement.registry import register_split


def _extra_levels(neck: FPN) -> int:
    """Count the levels that FPN computes from the ReLU of the level below."""
    if not (neck.add_extra_convs and neck.relu_before_extra_convs):
        return 0
    return max(0, len(neck.fpn_convs) - len(neck.lateral_convs) - 1)


@register_split(FPN, {"relu": nn.ReLU}, relu=_extra_levels)
class SplitFPN(FPN):
    """An FPN with an activation in front of each extra level that has ReLU there."""

    def forward(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        if _extra_levels(self) == 0:
            return super().forward(inputs)
        used = inputs[self.start_level : self.backbone_end_level]
        maps = [conv(x) for conv, x in zip(self.lateral_convs, used, strict=True)]
        for i in range(len(maps) - 1, 0, -1):
            size = {} if "scale_factor" in self.upsample_cfg else {"size": maps[i - 1].shape[2:]}
            maps[i - 1] = maps[i - 1] + F.interpolate(maps[i], **size, **self.upsample_cfg)
        outs = [conv(x) for conv, x in zip(self.fpn_convs, maps, strict=False)]
        sources: dict[bool | str, Tensor] = {
            "on_input": used[-1],
            "on_lateral": maps[-1],
            "on_output": outs[-1],
        }
        extra, *further = self.fpn_convs[len(maps) :]
        outs.append(extra(sources[self.add_extra_convs]))
        for i, conv in enumerate(further):
            outs.append(conv(getattr(self, f"relu{i + 1}")(outs[-1])))
        return outs


def _maps(neck: FeatureMapProcessor) -> int:
    """Count the maps whose ReLU it takes; one where only its input would tell."""
    if not neck.apply_relu:
        return 0
    return 1 if neck.concat or neck.select_index is None else len(neck.select_index)


@register_split(FeatureMapProcessor, {"relu": nn.ReLU}, relu=_maps)
class SplitFeatureMapProcessor(FeatureMapProcessor):
    """A FeatureMapProcessor with one activation per map, if it applies ReLU.

    Without `select_index` it cannot know how many maps come: more than one share `relu1`, and
    the probe says so.
    """

    def forward(self, inputs: Tensor | tuple[Tensor, ...]) -> Tensor | list[Tensor]:
        if not self.apply_relu:
            return super().forward(inputs)
        single = not isinstance(inputs, tuple | list)
        maps = [inputs] if single else list(inputs)
        if not single and self.select_index is not None:
            maps = [maps[i] for i in self.select_index]
        if not single and self.concat:
            maps = self._concat(maps)
        count = _maps(self)
        maps = [getattr(self, f"relu{min(i, count)}")(x) for i, x in enumerate(maps, 1)]
        if self.scale_factor != 1.0:
            maps = self._rescale(maps)
        return maps[0] if single else maps
