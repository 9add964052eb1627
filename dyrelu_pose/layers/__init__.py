"""Dynamic ReLU layers and their rivals, registered in MMEngine's root `MODELS`."""

from .base import DyReLU
from .rivals import ChannelPReLU, Maxout, SEReLU
from .variants import DyReLUA, DyReLUB, DyReLUC

__all__ = ["ChannelPReLU", "DyReLU", "DyReLUA", "DyReLUB", "DyReLUC", "Maxout", "SEReLU"]
