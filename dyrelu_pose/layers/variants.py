"""DyReLU-A, -B and -C (section 3.3 of arXiv 2003.10027) as MMEngine activation layers."""

from mmengine.registry import MODELS
from torch import Tensor

from dyrelu_pose.ops import Spatial, reference
from dyrelu_pose.ops.precision import compute_dtype, without_autocast

from .base import DyReLU
from .dense import Weights
from .options import check_number


@MODELS.register_module()
class DyReLUA(DyReLU):
    """DyReLU with coefficients shared over positions and channels: 2K numbers per image, R = 4.

    Args: see `DyReLU`.

    Example:
        >>> import torch
        >>> DyReLUA(channels=64)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    shared_over_channels = True
    default_reduction = 4


@MODELS.register_module()
class DyReLUB(DyReLU):
    """DyReLU with coefficients of their own for each channel: 2KC numbers per image, R = 8.

    The paper's choice for a backbone. Args: see `DyReLU`.

    Example:
        >>> import torch
        >>> DyReLUB(channels=64, reduction=8)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    default_reduction = 8


@MODELS.register_module()
class DyReLUC(DyReLU):
    """DyReLU-B times a spatial map, R = 4: the paper's choice for a keypoint head.

    A 1x1 convolution z of the input to one channel gives, over the P = H W positions,

        pi = min(gamma P softmax(z / tau), cap),   y = pi max_k (a_k x + b_k)

    The convolution has no bias, which a softmax would cancel. The map multiplies the output: the
    first of three readings found in public code, and the authors' own.

    With the paper's gamma = 1/3 and cap = 1 a flat map is 1/3, so with `init='relu'` (which zeroes
    the convolution too) C starts at ReLU / 3. `gamma=1.0, cap=3.0` is three times that function: a
    flat map is 1 and C starts at exactly ReLU. Use it to start from ReLU weights. In the same way
    `init='identity'` starts at x / 3, and at x with `gamma=1.0, cap=3.0`.

    Args:
        tau: Temperature of the softmax.
        gamma: Value of a flat map.
        cap: Largest value of the map.
        kwargs: See `DyReLU`.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> import torch
        >>> DyReLUC(channels=64)(torch.randn(2, 64, 8, 6)).shape
        torch.Size([2, 64, 8, 6])
    """

    default_reduction = 4

    def __init__(
        self,
        channels: int | None = None,
        *,
        tau: float = 10.0,
        gamma: float = 1 / 3,
        cap: float = 1.0,
        **kwargs,
    ) -> None:
        check_number(type(self).__name__, tau=tau, gamma=gamma, cap=cap)
        super().__init__(**kwargs)
        self.map = Spatial(tau, gamma, cap)
        if channels is not None:
            self.materialize(channels)

    def _create(self, channels: int) -> None:
        super()._create(channels)
        self.spatial = Weights(channels, 1)

    def reset_parameters(self) -> None:
        """Put the parameters at their start values, as `init` says."""
        super().reset_parameters()
        self.spatial.zeroed = self.init != "default"
        self.spatial.reset_parameters()

    def spatial_map(self, x: Tensor) -> Tensor:
        """Return pi, (N, 1, *), in float32 at least, for an input of `forward`: what that uses."""
        x = self.normalize(x)
        dtype = compute_dtype(x)
        with without_autocast(x):
            weight = self.spatial.weight.flatten().to(dtype)
            return reference.spatial_map(x.to(dtype), weight, self.map)

    def _spatial(self) -> tuple[Tensor, Spatial]:
        return self.spatial.weight, self.map

    def extra_repr(self) -> str:
        """Return the options that decide the function."""
        tau, gamma, cap = self.map
        return f"{super().extra_repr()}, tau={tau:g}, gamma={gamma:.3g}, cap={cap:g}"
