"""The piecewise linear functions that two images, or one, give in a channel."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from dyrelu_pose.inspection.activations import Picture, SiteRecord
from dyrelu_pose.ops import reference
from dyrelu_pose.visualization.style import BLUE, INK, YELLOW, finish, headline, legend

from .style import page_figure

TWO = (BLUE, YELLOW)
COARSE, FINE = 33, 401  # points at which functions are compared, and drawn


def draw_functions(record: SiteRecord, pictures: Sequence[Picture]) -> Figure:
    """Draw the two most different functions of a channel, and the images they are of.

    The channel is the one whose functions differ the most over the images; of a single image, the
    one whose function differs the most from ReLU.

    Args:
        record: Record of a DyReLU with samples.
        pictures: The images.
    """
    _, _, *coefficients = record.of_dyrelu()
    a, b = (np.broadcast_to(c, (len(c), record.site.channels, c.shape[2])) for c in coefficients)
    x = np.concatenate(record.x)
    ends = np.minimum(np.percentile(x, 1, axis=0), 0), np.maximum(np.percentile(x, 99, axis=0), 0)
    grid = np.linspace(*ends, COARSE, axis=1)
    values = _evaluate(grid, a, b)
    spread = values.std(0) if len(values) > 1 else values[0] - np.maximum(grid, 0)
    channel = int(np.square(spread).mean(1).argmax())
    shown = sorted(set(_farthest(values[:, channel])))
    one = slice(channel, channel + 1)
    x = np.linspace(ends[0][one], ends[1][one], FINE, axis=1)
    lines = _evaluate(x, a[shown, one], b[shown, one])[:, 0]
    x = x[0]

    figure = page_figure(3.6)
    axes, *beside = figure.subplots(1, 1 + len(shown), width_ratios=[2.4, *[1] * len(shown)])
    for image, line, color, style in zip(shown, lines, TWO, ("-", "--"), strict=False):
        label = _text(a[image, channel], b[image, channel])
        axes.plot(x, line, style, color=color, linewidth=2.2, label=label)
    axes.plot(x, np.maximum(x, 0), ":", color=INK, linewidth=1.4, label="ReLU")
    up = "max(a x + b), before the map" if record.maps else "output"
    finish(axes, f"Channel {channel}", "input", up)
    legend(axes)
    for panel, image, color in zip(beside, shown, TWO, strict=False):
        panel.imshow(pictures[image].pixels)
        panel.set_title(pictures[image].name, fontsize=10, color=INK, parse_math=False)
        panel.set_xticks([])
        panel.set_yticks([])
        panel.spines[:].set(color=color, linewidth=4)
    headline(figure, record.site.name)
    return figure


def _evaluate(x: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return outputs (N, C, P), before a map, at inputs (C, P) for coefficients (N, C, K)."""
    inputs = torch.from_numpy(x).float().expand(len(a), -1, -1)
    return reference.dyrelu_given(inputs, torch.tensor(a), torch.tensor(b)).numpy()


def _farthest(functions: np.ndarray) -> tuple[int, int]:
    """Return the two of (N, P) with the largest distance."""
    distances = np.square(functions[:, None] - functions[None]).mean(2)
    first, second = np.unravel_index(distances.argmax(), distances.shape)
    return int(first), int(second)


def _text(a: np.ndarray, b: np.ndarray) -> str:
    # The sum has no -0.000.
    slopes, intercepts = (", ".join(f"{x:.3f}" for x in v.round(3) + 0.0) for v in (a, b))
    return f"a = {slopes};  b = {intercepts}"
