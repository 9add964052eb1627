"""Data sets for MMPose that refuse, or leave out and count, what would train on nonsense."""

from .coco import CocoDataset

__all__ = ["CocoDataset"]
