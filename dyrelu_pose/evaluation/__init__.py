"""COCO keypoint AP."""

from .coco_metric import PycocoMetric

__all__ = ["PycocoMetric"]
