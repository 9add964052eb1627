"""What the figures of sites have in common."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from dyrelu_pose.inspection.activations import SiteRecord
from dyrelu_pose.layers import DyReLUC
from dyrelu_pose.visualization.style import new_figure

WIDTH, DPI = 11, 110  # inches; 1210 pixels across a page


def page_figure(height: float, width: float = WIDTH) -> Figure:
    """Return a figure as wide as the page, or `width` inches, and `height` inches high."""
    return new_figure(width, height, DPI)


def flat_map(record: SiteRecord) -> float:
    """Return the factor of DyReLU-C where its map is flat, as in the paper 1/3; 1 elsewhere."""
    if not isinstance(record.layer, DyReLUC):
        return 1.0
    return min(record.layer.map.gamma, record.layer.map.cap)


def relu_name(factor: float) -> str:
    """Return how ReLU times a factor is called."""
    if factor == 1:
        return "ReLU"
    return f"ReLU / {1 / factor:.3g}" if factor < 1 else f"{factor:.3g} ReLU"


def span(values: Sequence | np.ndarray, percent: float = 0.5) -> tuple[float, float]:
    """Return the range of values without the outermost per cents, and a little more."""
    low, high = np.percentile(values, [percent, 100 - percent])
    margin = 0.05 * max(high - low, 1e-6)
    return low - margin, high + margin
