"""The learning curves of one or more runs as a chart."""

from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import write_atomically

from .run_log import AP, RunLog
from .style import COLORS, finish, legend, new_figure

_SMOOTH_FROM = 40  # points; fewer are shown as they are


def draw_learning_curve(runs: list[RunLog], out: Path, data: str = "") -> None:
    """Draw training loss and validation AP of runs side by side and save the chart.

    Args:
        runs: What to draw, one color each; all count the same unit.
        out: Picture to write; its suffix decides the format.
        data: Name of the validation set, for the axis.

    Raises:
        UserError: Some runs count epochs and others iterations.
    """
    units = {run.unit: run.name for run in runs}
    if len(units) > 1:
        raise UserError(
            "cannot share an axis: "
            + ", ".join(f"{name} counts {unit}s" for unit, name in units.items())
        )
    unit = runs[0].unit
    figure = new_figure(11, 4.2)
    loss_axes, ap_axes = figure.subplots(1, 2)
    losses, aps = [], []  # named to the legend: by itself it leaves out names that begin with _
    for i, run in enumerate(runs):
        color = COLORS[i % len(COLORS)]
        losses += _draw_loss(loss_axes, run, color)
        aps += _draw_ap(ap_axes, run, color)
    finish_steps(loss_axes, "Training loss", unit, "loss")
    finish_steps(ap_axes, "Validation", unit, f"{data} keypoint AP (0 to 1)".lstrip())
    ap_axes.set_ylim(bottom=0)
    right = max(loss_axes.get_xlim()[1], ap_axes.get_xlim()[1])
    loss_axes.set_xlim(0, right)
    ap_axes.set_xlim(0, right)
    if aps:
        legend(ap_axes, handles=aps, loc="best")
    else:
        others = dict.fromkeys(name for run in runs for name in run.other)
        text = f"no {AP}, but {', '.join(others)}" if others else "no validation yet"
        place = dict(transform=ap_axes.transAxes, ha="center", parse_math=False, wrap=True)
        ap_axes.text(0.5, 0.5, text, **place)
        legend(loss_axes, handles=losses)
    write_atomically(out, figure.savefig)


def _draw_loss(axes, run: RunLog, color: str) -> list:
    steps, losses = np.array(run.loss, dtype=float).T
    if len(steps) < _SMOOTH_FROM:
        marker = "o" if len(steps) == 1 else None  # a line has no length there
        style = dict(color=color, linewidth=1.8, marker=marker, markersize=4)
        return axes.plot(steps, losses, **style, label=run.name)
    axes.plot(steps, losses, color=color, linewidth=0.8, alpha=0.3)
    return axes.plot(steps, _smooth(losses), color=color, linewidth=1.8, label=run.name)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the mean over a twentieth of the curve around each point, less at its ends."""
    half = max(len(values) // 40, 1)
    return np.array([values[max(i - half, 0) : i + half + 1].mean() for i in range(len(values))])


def _draw_ap(axes, run: RunLog, color: str) -> list:
    if not run.ap:
        return []
    steps, values = np.array(run.ap, dtype=float).T
    label = f"{run.name}: AP {values[-1]:.3f} at the end"
    return axes.plot(
        steps, values, color=color, linewidth=1.8, marker="o", markersize=4, label=label
    )


def finish_steps(axes, title: str, unit: str, up: str) -> None:
    """Give axes whose x axis counts epochs or iterations a title, labels and the charts' look."""
    finish(axes, title, unit, up)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
