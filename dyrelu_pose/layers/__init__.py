"""Dynamic ReLU layers, registered in MMEngine's root `MODELS`."""

from .base import DyReLU
from .variants import DyReLUA, DyReLUB, DyReLUC

__all__ = ["DyReLU", "DyReLUA", "DyReLUB", "DyReLUC"]
