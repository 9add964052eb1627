"""Dynamic ReLU layers and the baselines they are compared with, in MMEngine's root `MODELS`."""

from .base import DyReLU
from .baselines import ChannelPReLU, Maxout, SEReLU
from .variants import DyReLUA, DyReLUB, DyReLUC

__all__ = ["ChannelPReLU", "DyReLU", "DyReLUA", "DyReLUB", "DyReLUC", "Maxout", "SEReLU"]
