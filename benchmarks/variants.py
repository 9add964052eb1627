"""The pose models that benchmarks/model.py times: a config's ReLU twin, and its DyReLU variants."""

from typing import NamedTuple

import torch
from cases import CONFIGS
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F


class Variant(NamedTuple):
    """How a model computes its activations.

    Attributes:
        name: Name in the table.
        backend: Of its DyReLU layers; None for the ReLU twin.
        fuse_norm: Whether they compute the batch normalisation in front of them.
    """

    name: str
    backend: str | None = None
    fuse_norm: bool = False


RELU = Variant("ReLU")
REFERENCE = Variant("DyReLU reference", "reference")
BACKENDS = dict(cpu=("eager", "compile", "numba"), cuda=("eager", "compile", "triton"))


def variants(device: str) -> tuple[Variant, ...]:
    """Return the variants for a `'cpu'` or a `'cuda'` device, the ReLU twin first."""
    return (
        RELU,
        *(
            Variant(f"DyReLU {'fuse_norm, ' if fuse_norm else ''}{backend}", backend, fuse_norm)
            for fuse_norm in (False, True)
            for backend in BACKENDS[device]
        ),
    )


def build(config: str, variant: Variant, seed: int) -> nn.Module:
    """Build an untrained model in channels_last, its DyReLUs at `init='default'`.

    Args:
        config: One of `cases.NAMES`.
        variant: How it computes its activations.
        seed: Of the weights.
    """
    folder = "baselines/" if variant.backend is None else "dyrelu_"
    model = Config.fromfile(CONFIGS / f"{folder}{config}.py").model
    model.backbone.init_cfg = None
    for rule in model.get("dyrelu", ()):
        rule.act.update(backend=variant.backend, init="default")
        rule.fuse_norm = variant.fuse_norm
    torch.manual_seed(seed)
    return MODELS.build(model).to(memory_format=torch.channels_last)


def heatmaps(model: nn.Module, images: Tensor, half: bool = False) -> Tensor:
    """Return the heatmaps of images (N, 3, H, W), computed under bfloat16 autocast if `half`."""
    with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
        return model(images, data_samples=None, mode="tensor")


def training_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    target: Tensor,
    half: bool,
) -> None:
    """Update the weights once: forward, mean squared error, backward, optimizer."""
    F.mse_loss(heatmaps(model, images, half).float(), target).backward()
    optimizer.step()
    optimizer.zero_grad()
