"""Where people are in a picture: boxes of a person detector that is an ONNX file."""

from .detector import PersonDetector, distinct

__all__ = ["PersonDetector", "distinct"]
