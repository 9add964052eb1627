"""Numerical core of DyReLU: the equations (`reference`) and the versions that layers use."""

from .backends import BACKENDS
from .given import dyrelu_given
from .hyper import Hyper, Ranges
from .layer import dyrelu
from .spatial import Spatial

__all__ = ["BACKENDS", "Hyper", "Ranges", "Spatial", "dyrelu", "dyrelu_given"]
