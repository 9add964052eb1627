"""Data sets on disk: crops of persons for fast top-down training."""

from .augmentation import Augmentation, read_augmentation
from .crops import annotation_file, write_crops
from .origin import to_original
from .person import Settings
from .source import SPLITS, Source, read_source

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
