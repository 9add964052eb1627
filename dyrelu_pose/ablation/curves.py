"""The learning curves of an ablation: a line per cell, the mean over its seeds, and their band."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np

from dyrelu_pose.errors import plural
from dyrelu_pose.records.files import write_atomically
from dyrelu_pose.visualization.learning_curve import finish_steps
from dyrelu_pose.visualization.style import COLORS, headline, legend, new_figure

from .grid import Grid
from .table import data_of

Curve = list[tuple[float, float]]
FEW = 12  # points; fewer are marked


def draw_curves(grid: Grid, records: Sequence[dict], out: Path) -> None:
    """Draw training loss, validation AP and, where it is known, NLL of `grid.curves`.

    Over epochs and, where all records have their pace, below that over minutes of training: a cell
    that learns more in an epoch may need longer for it.

    Args:
        grid: The grid.
        records: Records of its finished runs, of all cells.
        out: Picture to write; its suffix decides the format.
    """
    ap = f"{data_of(records)} AP (%)".lstrip()
    panels = [("Training", "loss", 1, "loss"), ("Validation", "ap", 100, ap)]
    if any(record["curve"].get("nll") for record in records):
        panels.append(("Validation", "nll", 1, "NLL of the heatmaps"))
    timed = all("epoch_minutes" in record for record in records)
    units = ("epoch", "minute of training") if timed else ("epoch",)
    figure = new_figure(5.5 * len(panels), 4.2 * len(units))
    grid_of_axes = figure.subplots(len(units), len(panels), squeeze=False)
    for line, unit in zip(grid_of_axes, units, strict=True):
        for axes, (title, key, scale, label) in zip(line, panels, strict=True):
            for name, color in zip(grid.curves, COLORS, strict=False):
                own = [record for record in records if record["cell"] == name]
                pace = mean(record["epoch_minutes"] for record in own) if timed and own else 1
                curves = [record["curve"][key] for record in own if record["curve"].get(key)]
                _draw(axes, curves, pace if unit != "epoch" else 1, scale, name, color)
            finish_steps(axes, title, unit, label)
        line[0].set_xlim(left=0)
        for axes in line[1:]:
            axes.set_xlim(line[0].get_xlim())
    ap_axes = grid_of_axes[0, 1]
    if ap_axes.lines:
        legend(ap_axes, loc="best")
    headline(figure, f"{grid.name}: means over seeds, bands from the lowest to the highest")
    write_atomically(out, figure.savefig)


def _draw(axes, curves: Sequence[Curve], pace: float, scale: float, name: str, color: str) -> None:
    """Draw what the curves have in common: the steps of the shortest."""
    if not curves:
        return
    length = min(map(len, curves))
    points = np.array([curve[:length] for curve in curves])  # (seeds, steps, 2)
    steps, values = pace * points[0, :, 0], scale * points[:, :, 1]
    label = f"{name} ({plural(len(curves), 'seed')})"
    marker = "o" if length < FEW else None
    axes.plot(
        steps, values.mean(0), color=color, linewidth=1.8, marker=marker, markersize=4, label=label
    )
    axes.fill_between(steps, values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
