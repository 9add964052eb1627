"""The light up-sampling head of the paper's keypoint experiments."""

from collections.abc import Sequence

from mmpose.models.backbones.mobilenet_v2 import InvertedResidual
from mmpose.models.heads import HeatmapHead
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class InvertedResidualHead(HeatmapHead):
    """Heatmap head of MobileNetV2 blocks: per stage a bilinear up-sampling by 2, then the blocks.

    The keypoint head of arXiv 2003.10027 for mobile backbones. Loss, decoding and flip test are
    those of MMPose's `HeatmapHead`. The first block does not expand: the last layer of a
    MobileNetV2 has done so (320 to 1280 channels), and expanding those again would cost more than
    the whole backbone.

    Args:
        in_channels: Channels of the backbone's last map.
        out_channels: Number of keypoints.
        stages: Width of every block, stage by stage. Four blocks in three stages, as in the paper
            (reported second-hand); the widths are this project's choice.
        expand_ratio: Expansion of the other blocks: 3, so that the head stays light.
        norm_cfg: Normalization of the blocks.
        act_cfg: Activation of the blocks: ReLU6, as in MobileNetV2.
        kwargs: `loss`, `decoder`, `final_layer`, `init_cfg`: see `HeatmapHead`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stages: Sequence[Sequence[int]] = ((256, 256), (128,), (128,)),
        expand_ratio: int = 3,
        norm_cfg: dict | None = None,
        act_cfg: dict | None = None,
        **kwargs,
    ) -> None:
        super().__init__(stages[-1][-1], out_channels, deconv_out_channels=None, **kwargs)
        self.in_channels = in_channels
        self.stages = nn.Sequential()
        for widths in stages:
            stage = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
            for width in widths:
                block = InvertedResidual(
                    in_channels,
                    width,
                    stride=1,
                    expand_ratio=expand_ratio if self.stages or len(stage) > 1 else 1,
                    norm_cfg=norm_cfg or dict(type="BN"),
                    act_cfg=act_cfg or dict(type="ReLU6"),
                )
                stage.append(block)
                in_channels = width
            self.stages.append(stage)

    @property
    def default_init_cfg(self) -> list[dict]:
        """He initialization for the blocks; small heatmaps at the start, as in `HeatmapHead`."""
        small = dict(type="Normal", name="final_layer", std=0.001)
        return [
            dict(type="Kaiming", layer="Conv2d", override=small),
            dict(type="Constant", layer="BatchNorm2d", val=1),
        ]

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Return heatmaps (N, out_channels, 2^S H, 2^S W) of a last map (N, in_channels, H, W)."""
        return self.final_layer(self.stages(feats[-1]))
