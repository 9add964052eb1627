"""The learning curves of an ablation: a line per cell, the mean over its seeds, and their band."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dyrelu_pose.records.files import write_atomically
from dyrelu_pose.visualization.learning_curve import COLOURS, finish_axes

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
    figure = Figure(figsize=(11, 4.2), dpi=150, layout="constrained")
    loss_axes, ap_axes = figure.subplots(1, 2)
    for name, colour in zip(grid.curves, COLOURS, strict=False):
        own = [record["curve"] for record in records if record["cell"] == name]
        for axes, key, scale in ((loss_axes, "loss", 1), (ap_axes, "ap", 100)):
            _draw(axes, [curve[key] for curve in own if curve[key]], scale, name, colour)
    data = ", ".join(dict.fromkeys(record["data"] for record in records if record["data"]))
    finish_axes(loss_axes, "Training", "epoch", "loss")
    finish_axes(ap_axes, "Validation", "epoch", f"{data} AP (%)".lstrip())
    loss_axes.set_xlim(left=0)
    ap_axes.set_xlim(loss_axes.get_xlim())
    if ap_axes.lines:
        ap_axes.legend(frameon=False, loc="best")
    figure.suptitle(
        f"{grid.name}: means over seeds, bands from the lowest to the highest", x=0.01, ha="left"
    )
    write_atomically(out, figure.savefig)


def _draw(axes, curves: Sequence[Curve], scale: float, name: str, colour: str) -> None:
    """Draw what the curves have in common: the steps of the shortest."""
    if not curves:
        return
    length = min(map(len, curves))
    points = np.array([curve[:length] for curve in curves])  # (seeds, steps, 2)
    steps, values = points[0, :, 0], scale * points[:, :, 1]
    label = f"{name} ({len(curves)} seed{'s' if len(curves) > 1 else ''})"
    marker = "o" if length < FEW else None
    axes.plot(
        steps, values.mean(0), color=colour, linewidth=1.8, marker=marker, markersize=4, label=label
    )
    axes.fill_between(steps, values.min(0), values.max(0), color=colour, alpha=0.2, linewidth=0)
