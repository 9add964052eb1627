"""Squeeze-and-excitation with ReLU, the baseline that looks at the whole input as DyReLU does."""

from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from dyrelu_pose.layers.dense import Dense
from dyrelu_pose.layers.options import check_whole


@MODELS.register_module()
class SEReLU(nn.Module):
    """Squeeze-and-excitation (arXiv 1709.01507, eqs. 2 to 4), then ReLU.

        s = mean of x over positions,   g = sigmoid(FC2(ReLU(FC1(s)))),   y = ReLU(g x)

    The gate is positive, so y = g ReLU(x): only what it is computed from depends on the order. Here
    that is the input of the activation, which is what DyReLU pools as well, so that the two differ
    in nothing but the function. (Arxiv 1709.01507 itself gates after a block's last norm, and
    MobileNetV3 the output of an activation.) The gate is between 0 and 1 and starts near 1/2, so
    there is no start at ReLU: behind ReLU weights the output is about halved.

    Args:
        channels: Channels C of the input.
        reduction: R; FC1 maps C to C / R (at least 1) channels. 16 is its authors' choice, 4 that
            of MobileNetV3.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> SEReLU(channels=64, reduction=16)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        check_whole("SEReLU", channels=channels, reduction=reduction)
        hidden = max(channels // reduction, 1)
        self.fc1 = Dense(channels, hidden)
        self.fc2 = Dense(hidden, channels)
        self.reduction = reduction

    def gate(self, x: Tensor) -> Tensor:
        """Return what multiplies the planes of `x` (N, C, H, W): (N, C), between 0 and 1."""
        hidden = F.linear(x.mean((2, 3)), self.fc1.weight, self.fc1.bias).relu()
        return F.linear(hidden, self.fc2.weight, self.fc2.bias).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to `x` (N, C, H, W); shape and dtype are kept."""
        return (x * self.gate(x)[..., None, None]).relu()

    def extra_repr(self) -> str:
        """Return the option that decides the function."""
        return f"reduction={self.reduction}"
