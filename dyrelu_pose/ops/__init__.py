"""Numerical core of DyReLU: the equations (`reference`) and the versions that layers use."""

from .backends import BACKENDS
from .dynamic import dynamic_relu
from .hyper import Hyper, Ranges
from .maximum import dyrelu
from .spatial import Spatial

__all__ = ["BACKENDS", "Hyper", "Ranges", "Spatial", "dynamic_relu", "dyrelu"]
