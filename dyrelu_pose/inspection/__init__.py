"""What a trained model's activations do, over images: collected, measured, drawn, on one page."""

from dyrelu_pose.inference.inputs import samples
from dyrelu_pose.inference.load import load_trained

from .activations import SiteRecord, collect
from .report import write_report
from .sites import choose_sites, find_sites
from .statistics import statistics

__all__ = [
    "SiteRecord",
    "choose_sites",
    "collect",
    "find_sites",
    "load_trained",
    "samples",
    "statistics",
    "write_report",
]
