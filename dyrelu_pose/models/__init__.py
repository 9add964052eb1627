"""MMPose models of this project."""

from .estimator import DyReLUPoseEstimator
from .heads import InvertedResidualHead
from .losses import HeatmapCrossEntropyLoss
from .mobilenets import MobileNetV2WithoutLastConv, MobileNetV3WithoutSE

__all__ = [
    "DyReLUPoseEstimator",
    "HeatmapCrossEntropyLoss",
    "InvertedResidualHead",
    "MobileNetV2WithoutLastConv",
    "MobileNetV3WithoutSE",
]
