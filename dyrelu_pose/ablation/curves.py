"""The learning curves of an ablation: a line per cell, the mean over its seeds, and their band."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dyrelu_pose.records.files import write_atomically
from dyrelu_pose.visualization.learning_curve import finish_steps
from dyrelu_pose.visualization.style import COLORS, headline, legend, new_figure

from .grid import Grid

Curve = list[tuple[float, float]]
FEW = 12  # points; fewer are marked


def draw_curves(grid: Grid, records: Sequence[dict], out: Path) -> None:
    """Draw training loss and validation AP of `grid.curves`, and save the chart.

    Args:
        grid: The grid.
        records: Records of its finished runs, of all cells.
        out: Picture to write; its suffix decides the format.
    """
    figure = new_figure(11, 4.2)
    loss_axes, ap_axes = figure.subplots(1, 2)
    for name, color in zip(grid.curves, COLORS, strict=False):
        own = [record["curve"] for record in records if record["cell"] == name]
        for axes, key, scale in ((loss_axes, "loss", 1), (ap_axes, "ap", 100)):
            _draw(axes, [curve[key] for curve in own if curve[key]], scale, name, color)
    data = ", ".join(dict.fromkeys(record["data"] for record in records if record["data"]))
    finish_steps(loss_axes, "Training", "epoch", "loss")
    finish_steps(ap_axes, "Validation", "epoch", f"{data} AP (%)".lstrip())
    loss_axes.set_xlim(left=0)
    ap_axes.set_xlim(loss_axes.get_xlim())
    if ap_axes.lines:
        legend(ap_axes, loc="best")
    headline(figure, f"{grid.name}: means over seeds, bands from the lowest to the highest")
    write_atomically(out, figure.savefig)


def _draw(axes, curves: Sequence[Curve], scale: float, name: str, color: str) -> None:
    """Draw what the curves have in common: the steps of the shortest."""
    if not curves:
        return
    length = min(map(len, curves))
    points = np.array([curve[:length] for curve in curves])  # (seeds, steps, 2)
    steps, values = points[0, :, 0], scale * points[:, :, 1]
    label = f"{name} ({len(curves)} seed{'s' if len(curves) > 1 else ''})"
    marker = "o" if length < FEW else None
    axes.plot(
        steps, values.mean(0), color=color, linewidth=1.8, marker=marker, markersize=4, label=label
    )
    axes.fill_between(steps, values.min(0), values.max(0), color=color, alpha=0.2, linewidth=0)
