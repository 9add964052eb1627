"""Stops a training at the first loss that is not finite, and says where it comes from."""

from collections.abc import Iterator
from typing import cast

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.distributed.fsdp import FullyShardedDataParallel

from dyrelu_pose.errors import UserError, some
from dyrelu_pose.layers import DyReLU

from .launch import unwrapped

SHOWN = 5  # names in a list


class NonFiniteLossError(UserError):
    """The loss is NaN or infinite; the message says at which site that began."""


@HOOKS.register_module()
class NonFiniteLossHook(Hook):
    """Look at every loss before it is differentiated, while the weights are still sound.

    A training that goes on after one NaN has only NaN weights, and saves them. Instead this hook
    runs the same batch again, watching every DyReLU, and stops. `tools/train.py` adds it to every
    training. It reads one number per step from the device, as MMPose's heads do for their accuracy.

    Raises:
        NonFiniteLossError: Names the iteration, and the first site whose input, coefficients or
            output are not finite; the weights, if it is they; or else the images or the loss alone.
    """

    priority = "VERY_LOW"

    def before_train(self, runner: Runner) -> None:
        """Put the check in front of the optimizer's update."""
        wrapper = _optim_wrapper(runner)
        update = wrapper.update_params

        def update_params(loss: Tensor, *args, **kwargs) -> None:
            if not torch.isfinite(loss).all():
                raise NonFiniteLossError(self._message(runner, loss))
            update(loss, *args, **kwargs)

        wrapper.update_params = update_params

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict) -> None:
        """Keep the batch in reach."""
        self._batch = data_batch

    def _message(self, runner: Runner, loss: Tensor) -> str:
        return (
            f"the loss of iteration {runner.iter + 1} is {loss.item():g}: {self._origin(runner)}. "
            f"The checkpoints in {runner.work_dir} are from before it"
        )

    def _origin(self, runner: Runner) -> str:
        if isinstance(runner.model, FullyShardedDataParallel):
            return "no process has all weights to look for the site: train by fewer, without FSDP"
        with _optim_wrapper(runner).optim_context(runner.model):  # autocast, if it is on
            return find_origin(unwrapped(runner.model), self._batch)


def _optim_wrapper(runner: Runner) -> OptimWrapper:
    return cast(OptimWrapper, runner.optim_wrapper)  # no config any more, once training begins


def find_origin(model: nn.Module, batch: dict) -> str:
    """Return where numbers stop being finite in the forward pass of a training batch.

    Args:
        model: An MMEngine model.
        batch: What its data loader gave.
    """
    if names := [name for name, tensor in model.named_parameters() if not finite(tensor)]:
        return f"the weights are not finite any more: {some(names, SHOWN)}"
    watch = _Watch(model)
    with torch.no_grad(), watch:
        data = model.get_submodule("data_preprocessor")(batch, training=True)
        images = data["inputs"]
        if not finite(images):
            return f"the images are not finite, {describe(images)}"
        losses = model(**data, mode="loss")
    if watch.found is not None:
        return watch.found
    names = [name for name, value in losses.items() if not all(map(finite, _tensors(value)))]
    if not names:
        return "the same batch gives a finite loss now: it comes by chance, as dropout does"
    return (
        f"{some(names, SHOWN)} is not finite although all {watch.sites} DyReLU sites are: "
        "look at the layers behind the last site, the targets and the loss"
    )


class _Watch:
    """Hooks on every DyReLU for the time of a `with` block; `found` describes the first fault."""

    def __init__(self, model: nn.Module) -> None:
        self._layers = {n: m for n, m in model.named_modules() if isinstance(m, DyReLU)}
        self.sites = len(self._layers)
        self.found: str | None = None
        self._peak = 0.0  # of the input of the layer that runs

    def __enter__(self) -> None:
        self._handles = []
        for name, layer in self._layers.items():
            site = f"{name} ({type(layer).__name__}, {layer.channels} channels)"
            # Before and after: the layer may work in place.
            self._handles.append(layer.register_forward_pre_hook(self._before(site)))
            self._handles.append(layer.register_forward_hook(self._after(site)))

    def __exit__(self, *error) -> None:
        for handle in self._handles:
            handle.remove()

    def _before(self, site: str):
        def hook(layer: DyReLU, inputs: tuple[Tensor]) -> None:
            if self.found is None:
                self._peak = inputs[0].abs().max().item()
                self.found = _fault_before(site, layer, inputs[0])

        return hook

    def _after(self, site: str):
        def hook(layer: DyReLU, inputs: tuple[Tensor], output: Tensor) -> None:
            if self.found is None and not finite(output):
                self.found = (
                    f"it begins at {site}, whose output is not finite, {describe(output)}, though "
                    f"its coefficients are: its input goes up to {self._peak:g}, in {output.dtype}"
                )

        return hook


def _fault_before(site: str, layer: DyReLU, x: Tensor) -> str | None:
    if not finite(x):
        return f"it begins in front of {site}, whose input is not finite, {describe(x)}"
    for kind, values in zip(("slopes", "intercepts"), layer.coefficients(x), strict=True):
        if not finite(values):
            return f"it begins at {site}, whose {kind} are not finite, {describe(values)}"
    return None


def finite(tensor: Tensor) -> bool:
    """Whether every value is finite."""
    return bool(torch.isfinite(tensor).all())


def describe(tensor: Tensor) -> str:
    """Count the values that are not finite."""
    nans, infinities = tensor.isnan().sum().item(), tensor.isinf().sum().item()
    return f"{nans} NaN and {infinities} infinite of {tensor.numel()}"


def _tensors(value: Tensor | list) -> Iterator[Tensor]:
    return iter(value if isinstance(value, list) else [value])
