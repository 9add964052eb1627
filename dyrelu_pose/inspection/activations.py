"""Inputs, outputs and coefficients of activations, collected by hooks while a model runs."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLU, DyReLUC
from dyrelu_pose.placement import Site

SAMPLES = 2**20  # values kept of a site's input, and as many of its output


@dataclass
class SiteRecord:
    """What a site did on the images.

    Attributes:
        site: Where it is.
        layer: The activation there.
        x: Values of its input, for each image (P, C): all channels at P random positions; behind
            the norm where the layer folds one. Empty where no samples were asked for.
        y: Values of its output at the same places.
        pooled: Mean of its input over positions, (N, C); None unless it is a DyReLU.
        hidden: Hidden layer of its hyper function, (N, C / R); None unless it is a DyReLU.
        a: Slopes, (N, C, K) or (N, 1, K); None unless it is a DyReLU.
        b: Intercepts, as `a`.
        maps: Spatial map of each image, (H, W); empty unless it is a DyReLU-C.
    """

    site: Site
    layer: nn.Module
    x: list[np.ndarray] = field(default_factory=list)
    y: list[np.ndarray] = field(default_factory=list)
    pooled: np.ndarray | None = None
    hidden: np.ndarray | None = None
    a: np.ndarray | None = None
    b: np.ndarray | None = None
    maps: list[np.ndarray] = field(default_factory=list)

    @property
    def dynamic(self) -> bool:
        """Whether the layer is a DyReLU."""
        return isinstance(self.layer, DyReLU)

    def of_dyrelu(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return `pooled`, `hidden`, `a` and `b`.

        Raises:
            ValueError: The layer is not a DyReLU.
        """
        if self.pooled is None or self.hidden is None or self.a is None or self.b is None:
            raise ValueError(f"{self.site.name} has no DyReLU, and so no coefficients")
        return self.pooled, self.hidden, self.a, self.b


@dataclass(frozen=True)
class Picture:
    """An input of the model, (H, W, 3) RGB bytes, and the name of the file it is from."""

    pixels: np.ndarray
    name: str


def collect(
    model: BaseModel,
    sites: Sequence[Site],
    sampled: Sequence[Site],
    images: Subset[dict],
    batch_size: int = 32,
    progress: Callable[[Iterable, int], Iterable] = lambda batches, total: batches,
) -> tuple[list[SiteRecord], list[Picture]]:
    """Run a model on images and record what its activations do.

    Args:
        model: The model, in evaluation mode.
        sites: Its sites; of all that have a DyReLU, the coefficients are recorded.
        sampled: Those of which inputs and outputs are recorded.
        images: What `samples` returned.
        batch_size: Images at a time.
        progress: A function of (batches, number of batches) that yields the batches, for showing
            progress.

    Returns:
        The records of sampled sites and of those with a DyReLU, in running order; and the images.

    Raises:
        UserError: The batch size is not positive, or an image cannot be read.
    """
    if batch_size < 1:
        raise UserError(f"batches of {batch_size} images: take at least 1")
    loader = DataLoader(images, batch_size, collate_fn=pseudo_collate)
    watches = [
        _SiteHooks(
            SiteRecord(site, layer),
            max(SAMPLES // (len(images) * site.channels), 1),
            site in sampled,
        )
        for site in sites
        if isinstance(layer := model.get_submodule(site.name), DyReLU) or site in sampled
    ]
    pictures: list[Picture] = []
    with torch.no_grad(), ExitStack() as hooks:
        for watch in watches:
            hooks.enter_context(watch.record.layer.register_forward_pre_hook(watch.before))
            hooks.enter_context(watch.record.layer.register_forward_hook(watch.after))
        for batch in progress(loader, len(loader)):
            data = model.data_preprocessor(batch, False)
            model(data["inputs"], data["data_samples"], mode="tensor")
            pictures += map(_picture, batch["inputs"], batch["data_samples"])
    return [watch.finished() for watch in watches], pictures


class _SiteHooks:
    """Hooks that fill the record of one site."""

    def __init__(self, record: SiteRecord, positions: int, sampled: bool) -> None:
        self.record = record
        self.positions = positions
        self.sampled = sampled
        self.random = torch.Generator().manual_seed(0)
        self.index: Tensor | None = None
        self.batches: dict[str, list[np.ndarray]] = {
            name: [] for name in ("pooled", "hidden", "a", "b")
        }

    def before(self, layer: nn.Module, args: tuple) -> None:
        """Record the input: before the call, which may overwrite it."""
        x = self._channels_first(args[0])
        if isinstance(layer, DyReLU):
            a, b = layer.coefficients(args[0])
            x = layer.normalize(args[0])
            pooled = x.flatten(2).mean(2)
            hidden = layer.hidden(args[0])
            for name, value in dict(pooled=pooled, hidden=hidden, a=a, b=b).items():
                self.batches[name].append(_array(value))
        if isinstance(layer, DyReLUC):
            self.record.maps += list(_array(layer.spatial_map(args[0])[:, 0]))
        if self.sampled:
            count = x.shape[2:].numel()
            index = torch.randperm(count, generator=self.random)[: self.positions]
            self.index = index.to(x.device)
            self.record.x += list(self._sample(x))

    def after(self, layer: nn.Module, args: tuple, y: Tensor) -> None:
        """Record the output where the input was."""
        if self.sampled:
            self.record.y += list(self._sample(self._channels_first(y)))

    def _channels_first(self, x: Tensor) -> Tensor:
        return x.movedim(-1, 1) if self.record.site.channels_last else x

    def _sample(self, x: Tensor) -> np.ndarray:
        return _array(x.flatten(2)[..., self.index].transpose(1, 2))  # (N, P, C)

    def finished(self) -> SiteRecord:
        """Return the record."""
        if self.record.dynamic:
            for name, batches in self.batches.items():
                setattr(self.record, name, np.concatenate(batches))
        return self.record


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()


def _picture(inputs: Tensor, sample) -> Picture:
    path = sample.get("img_path") or ""
    return Picture(inputs.permute(1, 2, 0).numpy()[..., ::-1], Path(path).name)
