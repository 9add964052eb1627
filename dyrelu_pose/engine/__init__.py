"""Hooks for MMEngine's runner."""

from .channels_last import ChannelsLastHook
from .non_finite import NonFiniteLossError, NonFiniteLossHook

__all__ = ["ChannelsLastHook", "NonFiniteLossError", "NonFiniteLossHook"]
