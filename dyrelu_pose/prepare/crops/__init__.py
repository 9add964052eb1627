"""Crops of persons on disk, for fast top-down training."""

from dyrelu_pose.prepare.folder import annotation_file

from .augmentation import Augmentation, read_augmentation
from .origin import to_original
from .person import Settings
from .source import SPLITS, Source, read_source
from .write import write_crops

__all__ = [
    "SPLITS",
    "Augmentation",
    "Settings",
    "Source",
    "annotation_file",
    "read_augmentation",
    "read_source",
    "to_original",
    "write_crops",
]
