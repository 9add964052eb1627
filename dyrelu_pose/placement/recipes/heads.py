"""CIDHead: the one head of MMPose whose forward pass calls a ReLU on maps as a function."""

import torch
from mmpose.models.heads.heatmap_heads.cid_head import GFDModule
from torch import Tensor, nn

from dyrelu_pose.placement.registry import register_split


@register_split(GFDModule, {"relu": nn.ReLU}, relu=1)
class SplitGFDModule(GFDModule):
    """The module of CIDHead that turns each person's features into heatmaps."""

    relu1: nn.Module

    def forward(
        self,
        feats: Tensor,
        instance_feats: Tensor,
        instance_coords: Tensor,
        instance_imgids: Tensor,
    ) -> Tensor:
        maps = self.conv_down(feats)[instance_imgids]  # (persons, C, H, W)
        channels = self.channel_attention(maps, instance_feats)
        places = self.spatial_attention(maps, instance_feats, instance_coords)
        maps = self.fuse_attention(torch.cat([channels, places], dim=1))
        return self.sigmoid(self.heatmap_conv(self.relu1(maps)))
