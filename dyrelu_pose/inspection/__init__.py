"""What a trained model's activations do, over images: collected, measured, drawn, on one page."""

from dyrelu_pose.inference.inputs import samples
from dyrelu_pose.inference.load import load_model

from .choose import choose
from .collect import Record, collect
from .report import write_report
from .statistics import statistics

__all__ = [
    "Record",
    "choose",
    "collect",
    "load_model",
    "samples",
    "statistics",
    "write_report",
]
