"""PReLU with a slope per channel, for sites whose width only the placement knows."""

from mmengine.registry import MODELS
from torch import nn


@MODELS.register_module()
class ChannelPReLU(nn.PReLU):
    """Parametric ReLU (arXiv 1502.01852, eq. 1): y = max(x, 0) + a_c min(x, 0), a_c learned.

    It is `nn.PReLU` but for the name of its argument: rules give a layer its width as `channels`.
    Weight decay pulls the slopes to zero, so its authors do without: `custom_keys` can, too.

    Args:
        channels: Channels C of the input.
        init: Slope that training starts at; 0.25 is its authors'. 0 starts at ReLU.

    Example:
        >>> import torch
        >>> ChannelPReLU(channels=64)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    def __init__(self, channels: int, *, init: float = 0.25) -> None:
        super().__init__(channels, init)
