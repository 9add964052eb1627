"""The usual formulation of DyReLU-B, which ours is compared with."""

import torch
from torch import Tensor, nn


class UsualDyReLUB(nn.Module):
    """DyReLU-B (arXiv 2003.10027) as public code writes it.

    The map is permuted to (H, W, N, C), the K branches are stacked, and `max` over them returns
    values and indices. Weights have the names and shapes of `dyrelu_pose.layers.DyReLUB`.

    Args:
        channels: Channels C of the input.
        reduction: R of the hyper function.
        k: Number of branches.
    """

    def __init__(self, channels: int, reduction: int = 8, k: int = 2) -> None:
        super().__init__()
        self.k = k
        self.fc1 = nn.Linear(channels, max(channels // reduction, 1))
        self.fc2 = nn.Linear(self.fc1.out_features, 2 * k * channels)
        start = torch.tensor([1.0] + [0.0] * (2 * k - 1))
        self.register_buffer("start", start, persistent=False)
        self.register_buffer("ranges", torch.tensor([1.0] * k + [0.5] * k), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation to `x` (N, C, H, W)."""
        theta = self.fc2(self.fc1(x.mean((2, 3))).relu())
        delta = (2 * theta.sigmoid() - 1).view(-1, x.shape[1], 2 * self.k)
        a, b = (self.start + self.ranges * delta).split(self.k, -1)
        branches = x.permute(2, 3, 0, 1).unsqueeze(-1) * a + b  # (H, W, N, C, K)
        return branches.max(-1)[0].permute(2, 3, 0, 1)
