"""Poses of people in pictures, by the model that comes with the project or any top-down one."""

from .inferencer import PoseInferencer
from .pictures import read_picture

__all__ = ["PoseInferencer", "read_picture"]
