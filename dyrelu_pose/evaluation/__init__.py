"""COCO keypoint AP, and the likelihood of heatmaps."""

from .coco_metric import PycocoMetric
from .heatmap_nll import HeatmapNLL

__all__ = ["HeatmapNLL", "PycocoMetric"]
