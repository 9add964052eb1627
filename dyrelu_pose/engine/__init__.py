"""Hooks for MMEngine's runner."""

from .channels_last import ChannelsLastHook
from .coefficients import CoefficientHistogramHook
from .tensorboard import TensorboardHook

__all__ = ["ChannelsLastHook", "CoefficientHistogramHook", "TensorboardHook"]
