"""Data transforms."""

from .load_image import LoadImage

__all__ = ["LoadImage"]
