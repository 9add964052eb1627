"""Poses of people in pictures, by the model that comes with the project or any top-down one."""

from dyrelu_pose.datasets.load_image import read_image

from .inferencer import PoseInferencer

__all__ = ["PoseInferencer", "read_image"]
