"""The spatial map of DyReLU-C over the pictures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from dyrelu_pose.inference.inputs import evenly_spaced
from dyrelu_pose.inspection.activations import Picture, SiteRecord
from dyrelu_pose.visualization.style import DIVERGING, INK, headline

from .style import flat_map, page_figure

COLUMNS = 6
PANEL, BESIDE = 1.6, 1.4  # width of a picture, and of the scale beside them, inches
HEADLINE = 5.2  # inches that it needs


def draw_maps(record: SiteRecord, pictures: Sequence[Picture]) -> Figure:
    """Draw pictures, and the map of a site over each: below it, or beside it if they are few.

    Args:
        record: Record of a DyReLU-C.
        pictures: The images; six of them are drawn.
    """
    chosen = evenly_spaced(len(pictures), COLUMNS)
    flat = flat_map(record)
    limit = max(np.abs(np.array(record.maps[i]) - flat).max() for i in chosen)
    limit = max(limit, 1e-3 * flat)  # does not magnify rounding
    height, width = pictures[chosen[0]].pixels.shape[:2]
    rows = 1 if 2 * len(chosen) <= COLUMNS else 2
    columns = 2 * len(chosen) // rows
    size = 0.7 + rows * PANEL * height / width, max(BESIDE + columns * PANEL, HEADLINE)
    figure = page_figure(*size)
    panels = figure.subplots(rows, columns, squeeze=False)
    pairs = panels.T.reshape(len(chosen), 2)
    for (above, below), i in zip(pairs, chosen, strict=True):
        pixels = pictures[i].pixels
        extent = (0, pixels.shape[1], pixels.shape[0], 0)
        above.imshow(pixels)
        below.imshow(pixels.mean(2), cmap="gray", extent=extent)
        drawn = below.imshow(
            record.maps[i], cmap=DIVERGING, vmin=flat - limit, vmax=flat + limit, alpha=0.65,
            extent=extent, interpolation="nearest",
        )  # fmt: skip
        low, high = record.maps[i].min(), record.maps[i].max()
        below.set_xlabel(f"{low:.3f} to {high:.3f}", fontsize=10, color=INK)
        for axes in (above, below):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=panels, shrink=0.8, pad=0.01)
    bar.set_label(f"factor of the output; flat map: {flat:.3g}", fontsize=10, color=INK)
    cells = "x".join(map(str, record.site.size))
    headline(figure, f"{record.site.name}, map of {cells} cells (HxW)")
    return figure
