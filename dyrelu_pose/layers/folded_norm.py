"""A batch normalization that the DyReLU behind it computes."""

from torch import Tensor, nn
from torch.fx import Proxy
from torch.nn import functional as F

from dyrelu_pose.ops.norm import Norm, Running

from .leaf import call_in_graph


class HeldBatchNorm2d(nn.BatchNorm2d):
    """An `nn.BatchNorm2d` that holds its state, under its own name, for the DyReLU behind it."""

    def norm(self, x: Tensor) -> Norm:
        """Return what normalizes `x` now: the running statistics, or None for the batch's own.

        Raises:
            ValueError: The batch has one value per channel, so that it has no variance.
        """
        mean, variance = self._buffers["running_mean"], self._buffers["running_var"]
        of_batch = self.training or mean is None
        if of_batch and x.numel() == x.shape[1]:
            raise ValueError(
                f"batch normalization in training needs more than one value per channel, "
                f"got an input of shape {tuple(x.shape)}"
            )
        statistics = (None, None) if of_batch else (mean, variance)
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

    def running(self) -> Running | None:
        """Return the running statistics that the next batch goes into, if it does."""
        if not self.training:
            return None
        names = "running_mean", "running_var", "num_batches_tracked"
        mean, variance, batches = map(self._buffers.__getitem__, names)
        if mean is None or variance is None or batches is None:  # all are
            return None
        return Running(mean, variance, batches, self.momentum)


class FoldedBatchNorm2d(HeldBatchNorm2d):
    """One that passes its input on.

    A norm becomes one by assigning `__class__`, and an `nn.BatchNorm2d` again in the same way.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` (N, C, H, W) itself: the DyReLU that follows normalizes it."""
        return call_in_graph(self, x) if isinstance(x, Proxy) else x
