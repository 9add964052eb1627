"""A training step that is replayed from graphs wherever it can be."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from .batch import signature
from .captured import Captured
from .graphs import Graphs


class GraphedStep:
    """Stands in for a model's `train_step`: replays it for batches of one shape.

    The shape that comes `warmup` times first is captured; before, and in all other shapes, steps
    run eagerly. Batches are preprocessed eagerly. There are two graphs, and between them the loss
    is handed to the optimizer wrapper's `update_params`, so that who checks it there still does.

    Learning rates are read from a tensor on the device, in float32, which is filled from the
    optimizer's groups before each step; the groups themselves keep their numbers for schedules,
    logs and checkpoints.

    Args:
        model: An MMEngine model with `BaseModel.train_step`, on the device.
        wrapper: Its optimizer's, capturable.
        graphs: What captures.
        warmup: Eager steps of a shape before its capture, at least 1.
    """

    def __init__(
        self, model: BaseModel, wrapper: OptimWrapper, graphs: Graphs, warmup: int
    ) -> None:
        self._model, self._wrapper, self._graphs, self._warmup = model, wrapper, graphs, warmup
        self._update_params = wrapper.update_params
        groups = wrapper.optimizer.param_groups
        self._device = groups[0]["params"][0].device
        self._rates = torch.zeros(len(groups), device=self._device)
        self._seen: Counter[tuple] = Counter()
        self._captured: tuple[tuple, Captured] | None = None  # and the key of its batches
        self._norm: Tensor | None = None  # of the gradients that were clipped last
        if wrapper.clip_grad_kwargs:
            self._clip_grad, wrapper.clip_func = wrapper.clip_func, self._clip
        wrapper.update_params = self._update
        vars(model)["train_step"] = self

    def release(self) -> None:
        """Give model and wrapper their own methods back, and free the memory of the graphs."""
        del self._model.train_step
        self._wrapper.update_params = self._update_params
        if self._wrapper.clip_grad_kwargs:
            self._wrapper.clip_func = self._clip_grad
        self._captured = None

    def __call__(self, data: dict, optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """Make one step; return what is to be logged of it.

        Args:
            data: What the data loader gave.
            optim_wrapper: That of the constructor.
        """
        with optim_wrapper.optim_context(self._model):
            batch = _preprocessed(data, self._model.data_preprocessor)
        # A hook on a module, as for histograms, would not be called by a replay.
        key = signature(batch), sum(map(_hooks, self._model.modules()))
        if self._captured is None and self._seen[key] >= self._warmup:
            self._captured = key, self._capture(batch)
        if self._captured is None or key != self._captured[0]:
            self._seen[key] += 1
            return self._graphs.eager(lambda: self._eager_step(batch))
        captured = self._captured[1]
        captured.batch.fill(batch)
        captured.forward()
        optim_wrapper.update_params(captured.loss)
        return {name: value.clone() for name, value in captured.logs.items()}

    def _eager_step(self, batch: dict) -> dict[str, Tensor]:
        loss, logs = self._losses(batch)
        self._wrapper.update_params(loss)
        return logs

    def _losses(self, batch: dict) -> tuple[Tensor, dict[str, Tensor]]:
        with self._wrapper.optim_context(self._model):
            losses = self._model._run_forward(batch, mode="loss")
        return self._model.parse_losses(cast(dict, losses))

    def _capture(self, batch: dict) -> Captured:
        captured = Captured(batch, self._device, self._losses, self._optimize, self._graphs)
        print_log(
            f"CudaGraphHook: batches of {len(batch['inputs'])} are replayed from now on",
            logger="current",
        )
        return captured

    def _update(self, loss: Tensor, *args, **kwargs) -> None:
        """Do what the wrapper's `update_params` does."""
        rates = [group["lr"] for group in self._wrapper.optimizer.param_groups]
        self._rates.copy_(torch.tensor(rates))
        captured = None if self._captured is None else self._captured[1]
        if captured is None or loss is not captured.loss:
            norm = self._optimize(loss, *args, **kwargs)
        else:
            captured.update()
            norm = captured.norm
        if norm is not None:
            name = f"train/{self._wrapper.grad_name}"
            self._wrapper.message_hub.update_scalar(name, float(norm))

    def _optimize(self, loss: Tensor, *args, **kwargs) -> Tensor | None:
        with self._rates_on_device():
            self._update_params(loss, *args, **kwargs)
        return self._norm

    @contextmanager
    def _rates_on_device(self) -> Iterator[None]:
        groups = self._wrapper.optimizer.param_groups
        numbers = [group["lr"] for group in groups]
        try:
            for group, rate in zip(groups, self._rates.unbind(), strict=True):
                group["lr"] = rate
            yield
        finally:
            for group, number in zip(groups, numbers, strict=True):
                group["lr"] = number

    def _clip(self, *args, **kwargs) -> None:
        """Clip, and keep the norm: the wrapper would wait for its number at once, to log it."""
        self._norm = self._clip_grad(*args, **kwargs)


def _preprocessed(data: dict, preprocessor: nn.Module) -> dict:
    """Return a batch on the device, as the model takes it."""
    images = data["inputs"]
    alike = isinstance(images, list) and len({image.shape for image in images}) == 1
    if alike and isinstance(preprocessor, ImgDataPreprocessor):
        # It takes lists as well, image by image: a copy and four launches for each.
        data = {**data, "inputs": torch.stack(images)}
    return preprocessor(data, True)


def _hooks(module: nn.Module) -> int:
    return len(module._forward_hooks) + len(module._forward_pre_hooks)
