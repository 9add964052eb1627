"""Parameters, multiply-adds and activation memory of a model, from shapes alone."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement.meta_device import run_tensor_mode, run_without_values

from .activations import kept_per_image
from .madds import multiply_adds

Forward = Callable[[nn.Module, Tensor], object]


@dataclass(frozen=True)
class Complexity:
    """What a model costs.

    Attributes:
        params: Parameters.
        madds: Multiply-adds of one forward pass on one image, in evaluation mode.
        activations: Bytes that one image of a training batch, in float32, adds to what autograd
            keeps for the backward pass.
    """

    params: int
    madds: int
    activations: int


def measure(
    model: nn.Module, input_size: tuple[int, int], forward: Forward | None = None
) -> Complexity:
    """Measure a model by running copies of it on the meta device, where tensors have no values.

    If the forward pass needs values, a copy on the CPU is used. The model and the random state stay
    as they are. See `madds.py` and `activations.py` for what counts.

    Args:
        model: An MMPose estimator, or any module if `forward` says how to run it.
        input_size: Width and height of the input in pixels (W, H), as in an MMPose codec.
        forward: Called as `forward(model, images)` with images (N, 3, H, W). Default:
            `model(images, data_samples=None, mode='tensor')` for an MMEngine model,
            `model(images)` for any other.

    Raises:
        UserError: The forward pass fails.

    Example:
        >>> measure(nn.Conv2d(3, 8, 3, bias=False), (6, 5))
        Complexity(params=216, madds=2592, activations=360)
    """
    forward = forward or run_tensor_mode
    params = sum(parameter.numel() for parameter in model.parameters())

    def measured(device: str) -> Complexity:
        twin = _copy_to(model, device)
        with torch.random.fork_rng(devices=[]):
            activations = kept_per_image(twin, input_size, forward)
            return Complexity(params, multiply_adds(twin, input_size, forward), activations)

    try:
        return run_without_values(measured)
    except Exception as error:  # the model's own code
        width, height = input_size
        raise UserError(
            f"{type(model).__name__} cannot be measured: its forward pass on images of "
            f"{width}x{height} pixels (WxH) fails with {type(error).__name__}: {error}"
        ) from error


def _copy_to(model: nn.Module, device: str) -> nn.Module:
    twin = copy.deepcopy(model).to(device, torch.float32)
    for layer in twin.modules():
        if isinstance(layer, DyReLU) and layer.backend != "reference":
            layer.backend = "eager"  # compiled and Triton ones keep the same, but do not run here
    return twin
