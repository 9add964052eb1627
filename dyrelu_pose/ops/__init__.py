"""Numerical core of DyReLU: the equations (`reference`) and the version that layers use."""

from .dyrelu import dyrelu, dyrelu_spatial

__all__ = ["dyrelu", "dyrelu_spatial"]
