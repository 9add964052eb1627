"""Maxout: the largest of K linear maps, whose coefficients do not depend on the input."""

from functools import reduce

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from dyrelu_pose.layers.options import check_whole


@MODELS.register_module()
class Maxout(nn.Module):
    """Maxout (arXiv 1302.4389, eq. 1) over K linear maps of the channels at a position.

        y = max_k (W_k x + b_k)        W_k: (C, C), or diagonal

    The full form has K 1x1 convolutions C -> C: K C^2 parameters, and K C^2 multiply-adds per
    position. It is put behind a convolution instead of copying that one K times, so that a rule can
    place it; the composed maps are as general, as long as the convolution does not narrow.

    With `per_channel=True` every W_k is diagonal (`groups = channels`): a slope and an intercept
    per channel and branch, K multiply-adds per element. That is DyReLU-B with coefficients that are
    learned and fixed, which makes it the baseline for what the *dynamic* in DyReLU brings.

    Training starts at exactly ReLU for K > 1: W_1 is the identity, all else zero. Where branches
    tie, the last takes the gradient, as in DyReLU, so that at zero it is ReLU's too.

    Args:
        channels: Channels C of the input.
        k: K, the number of linear maps.
        per_channel: Whether each map is diagonal.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> Maxout(channels=64, per_channel=True)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    def __init__(self, channels: int, *, k: int = 2, per_channel: bool = False) -> None:
        super().__init__()
        check_whole("Maxout", channels=channels, k=k)
        self.k = k
        self.groups = channels if per_channel else 1
        self.weight = nn.Parameter(torch.empty(channels, k, channels // self.groups))
        self.bias = nn.Parameter(torch.empty(channels, k))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Make the first map the identity and the others zero."""
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)
        if self.groups == 1:
            self.weight[:, 0].fill_diagonal_(1)
        else:
            self.weight[:, 0] = 1

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to `x` (N, C, H, W); shape and dtype are kept."""
        weight = self.weight.flatten(0, 1)[..., None, None]  # (C K, C / groups, 1, 1)
        branches = F.conv2d(x, weight, self.bias.flatten(), groups=self.groups)
        branches = branches.unflatten(1, (-1, self.k)).unbind(2)  # K times (N, C, H, W)
        return reduce(_last_maximum, branches)

    def extra_repr(self) -> str:
        """Return the options that decide the function."""
        return f"{len(self.weight)}, k={self.k}, per_channel={self.groups > 1}"


def _last_maximum(y: Tensor, branch: Tensor) -> Tensor:
    return torch.where(y > branch, y, branch)  # torch.maximum would share the gradient of a tie
