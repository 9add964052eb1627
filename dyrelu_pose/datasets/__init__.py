"""Data sets and a loader of pictures that refuse, or leave out and count, what is not right."""

from . import of_mmpose
from .coco import CocoDataset
from .crop_array import CombinedCropArrays, CropArrayDataset
from .load_image import LoadImage

__all__ = ["CocoDataset", "CombinedCropArrays", "CropArrayDataset", "LoadImage", "of_mmpose"]
