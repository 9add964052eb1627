"""Input against output: one line for a static activation, a band for a dynamic one."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from dyrelu_pose.inspection.activations import SiteRecord
from dyrelu_pose.visualization.style import INK, ORANGE, finish, headline, legend

from .style import flat_map, page_figure, relu_name, span

LINE = ORANGE
IMAGES, DENSITY = "viridis", "cividis_r"
POINTS = 6000  # drawn of a channel


def draw_band(record: SiteRecord, channel: int) -> Figure:
    """Draw outputs of a site over its inputs: a channel, its difference to ReLU, all channels.

    Args:
        record: Record with samples.
        channel: The channel.
    """
    x = np.concatenate([values[:, channel] for values in record.x])
    y = np.concatenate([values[:, channel] for values in record.y])
    image = np.repeat(np.arange(len(record.x)), [len(values) for values in record.x])
    factor = flat_map(record)
    relu = relu_name(factor)
    difference = y - factor * np.maximum(x, 0)
    # Neighboring colors for images that bend the function alike, so that the fan is seen.
    means = [difference[image == i].mean() for i in range(len(record.x))]
    colors = np.argsort(np.argsort(means))[image]
    shown = np.random.default_rng(0).permutation(len(x))[:POINTS]

    figure = page_figure(4.0)
    one, rest, everything = figure.subplots(1, 3)
    points = dict(c=colors[shown], cmap=IMAGES, s=5, linewidths=0, rasterized=True)
    one.scatter(x[shown], y[shown], **points)
    rest.scatter(x[shown], difference[shown], **points)
    line = np.array([min(x.min(), 0), 0, max(x.max(), 0)])
    one.plot(line, factor * np.maximum(line, 0), color=LINE, linewidth=1.4, label=relu)
    rest.axhline(0, color=LINE, linewidth=1.4)
    finish(one, f"Channel {channel}, {len(record.x)} images", "input", "output")
    finish(rest, f"Channel {channel}, less {relu}", "input", f"output - {relu}")
    one.set_xlim(span(x))
    one.set_ylim(span(y))
    rest.set_xlim(one.get_xlim())
    rest.set_ylim(_around_zero(difference))
    legend(one, loc="upper left")
    _draw_density(figure, everything, record, factor)
    headline(figure, record.site.name)
    return figure


def _draw_density(figure: Figure, axes, record: SiteRecord, factor: float) -> None:
    x = np.concatenate([values.ravel() for values in record.x])
    y = np.concatenate([values.ravel() for values in record.y])
    limits = span(x), span(y)
    *_, counts = axes.hist2d(x, y, bins=120, range=limits, cmap=DENSITY, norm=LogNorm())
    line = np.array([limits[0][0], 0, limits[0][1]])
    axes.plot(line, factor * np.maximum(line, 0), color=LINE, linewidth=1.4)
    finish(axes, f"All {record.site.channels} channels", "input", "output")
    axes.set_xlim(limits[0])
    axes.set_ylim(limits[1])
    bar = figure.colorbar(counts, ax=axes, pad=0.02)
    bar.set_label("values", fontsize=10, color=INK)


def _around_zero(values: np.ndarray) -> tuple[float, float]:
    """Return the range of values, which holds 0, and does not magnify rounding."""
    low, high = span(values)
    return min(low, -1e-3), max(high, 1e-3)
