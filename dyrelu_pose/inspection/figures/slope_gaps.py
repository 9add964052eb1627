"""How far apart the slopes of each DyReLU are, over the depth of the network."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from dyrelu_pose.inspection.activations import SiteRecord
from dyrelu_pose.inspection.statistics import slope_gaps
from dyrelu_pose.visualization.site_strip import VARIANTS, label_sites
from dyrelu_pose.visualization.style import INK, finish, legend

from .style import page_figure

PERCENTS = (1, 25, 50, 75, 99)


def draw_slope_gaps(records: Sequence[SiteRecord]) -> Figure:
    """Draw the distribution of max_k a_k - min_k a_k over images and channels, site by site.

    Args:
        records: Records of all sites with a DyReLU, in running order.
    """
    figure = page_figure(4.6)
    axes = figure.subplots()
    label_sites(axes, [record.site.name for record in records])
    kinds = np.array([type(record.layer).__name__ for record in records])
    values = np.array([np.percentile(slope_gaps(record), PERCENTS) for record in records]).T
    width = min(0.6 * 720 / len(records), 9)  # points
    for kind in dict.fromkeys(kinds):
        x, own = np.flatnonzero(kinds == kind), values[:, kinds == kind]
        color = VARIANTS.get(kind, INK)
        axes.vlines(x, own[0], own[4], color=color, linewidth=max(width / 5, 0.8))
        axes.vlines(x, own[1], own[3], color=color, linewidth=width, label=kind)
        axes.plot(
            x, own[2], "o", color="white", markeredgecolor=color, markersize=max(0.45 * width, 2)
        )
    axes.axhline(1, color=INK, linewidth=1, linestyle="--", label="ReLU")
    finish(axes, "Distance of the slopes by depth", up="$|a_1 - a_2|$", grid="y")
    legend(axes, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))
    return figure
