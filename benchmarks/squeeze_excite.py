"""Squeeze-and-excitation, which DyReLU is compared with: a gate from the same pooled input."""

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation (arXiv 1709.01507): every plane times a gate computed from the means.

    Args:
        channels: Channels C of the input.
        reduction: Of the gate's hidden layer; 8, as DyReLU-B has it.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, max(channels // reduction, 1))
        self.fc2 = nn.Linear(self.fc1.out_features, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Scale the planes of `x` (N, C, H, W)."""
        return x * self.fc2(self.fc1(x.mean((2, 3))).relu()).sigmoid()[..., None, None]
