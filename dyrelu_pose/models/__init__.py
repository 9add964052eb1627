"""MMPose models of this project."""

from .estimator import DyReLUPoseEstimator
from .heads import InvertedResidualHead
from .losses import HeatmapCrossEntropyLoss

__all__ = ["DyReLUPoseEstimator", "HeatmapCrossEntropyLoss", "InvertedResidualHead"]
