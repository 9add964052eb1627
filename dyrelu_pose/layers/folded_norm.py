"""A batch normalization that the DyReLU behind it computes."""

import torch
from torch import Tensor, nn
from torch.fx import Proxy
from torch.nn import functional as F

from dyrelu_pose.ops.batch_norm import Norm

from .leaf import call_in_graph


class HeldBatchNorm2d(nn.BatchNorm2d):
    """An `nn.BatchNorm2d` that holds its state, under its own name, for the DyReLU behind it."""

    def norm(self, x: Tensor) -> Norm:
        """Return what normalizes `x` now: the running statistics, or None for the batch's own.

        Raises:
            ValueError: The batch has one value per channel, so that it has no variance.
        """
        of_batch = self.training or self.running_mean is None
        if of_batch and x.numel() == x.shape[1]:
            raise ValueError(
                f"batch normalization in training needs more than one value per channel, "
                f"got an input of shape {tuple(x.shape)}"
            )
        statistics = (None, None) if of_batch else (self.running_mean, self.running_var)
        return Norm(self.weight, self.bias, *statistics, self.eps)

    def normalized(self, x: Tensor, update: bool = False) -> Tensor:
        """Return the normalized `x`; with `update` the running statistics change, too."""
        if update:
            return nn.BatchNorm2d.forward(self, x)
        norm = self.norm(x)
        of_batch = norm.mean is None
        return F.batch_norm(
            x, norm.mean, norm.variance, norm.weight, norm.bias, training=of_batch, eps=norm.eps
        )

    @torch.no_grad()
    def update(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Take the statistics of a batch into the running ones, as `nn.BatchNorm2d` does.

        Args:
            mean: Mean of each channel, (C,).
            variance: Biased variance of each channel, (C,).
            count: Number of values of a channel, N H W.
        """
        if not self.training:
            return
        batches = self.num_batches_tracked
        running_mean, running_variance = self.running_mean, self.running_var
        if batches is None or running_mean is None or running_variance is None:  # all are
            return
        batches.add_(1)
        share = self.momentum
        if share is None:  # the mean over all batches
            share = 1 / batches.to(mean.dtype)
        unbiased = variance * (count / (count - 1))
        for running, new in ((running_mean, mean), (running_variance, unbiased)):
            running.lerp_(new.to(running.dtype), share)


class FoldedBatchNorm2d(HeldBatchNorm2d):
    """One that passes its input on.

    A norm becomes one by assigning `__class__`, and an `nn.BatchNorm2d` again in the same way.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, H, W) itself: the DyReLU that follows normalizes it."""
        return call_in_graph(self, x) if isinstance(x, Proxy) else x
