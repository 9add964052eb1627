"""The learning curves of one or more runs as a chart."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .run_log import RunLog

# Okabe and Ito's colours, told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_INK, _GRID = "#333333", "#DDDDDD"
_SMOOTH_FROM = 40  # points; fewer are shown as they are


def draw_learning_curve(runs: list[RunLog], out: Path, data: str = "") -> None:
    """Draw training loss and validation AP of runs side by side and save the chart.

    Args:
        runs: What to draw, one colour each; all count the same unit.
        out: Picture to write; its suffix decides the format.
        data: Name of the validation set, for the axis.

    Raises:
        ValueError: If some runs count epochs and others iterations.
    """
    units = {run.unit: run.name for run in runs}
    if len(units) > 1:
        raise ValueError(
            "cannot share an axis: "
            + ", ".join(f"{name} counts {unit}s" for unit, name in units.items())
        )
    unit = runs[0].unit
    figure = Figure(figsize=(11, 4.2), dpi=150, layout="constrained")
    loss_axes, ap_axes = figure.subplots(1, 2)
    for i, run in enumerate(runs):
        colour = COLOURS[i % len(COLOURS)]
        _draw_loss(loss_axes, run, colour)
        _draw_ap(ap_axes, run, colour)
    finish_axes(loss_axes, "Training loss", unit, "loss")
    finish_axes(ap_axes, "Validation", unit, f"{data} keypoint AP (0 to 1)".lstrip())
    ap_axes.set_ylim(bottom=0)
    right = max(loss_axes.get_xlim()[1], ap_axes.get_xlim()[1])
    loss_axes.set_xlim(0, right)
    ap_axes.set_xlim(0, right)
    if any(run.ap for run in runs):
        ap_axes.legend(frameon=False, labelcolor=_INK, loc="best")
    else:
        ap_axes.text(0.5, 0.5, "no validation yet", transform=ap_axes.transAxes, ha="center")
        loss_axes.legend(frameon=False, labelcolor=_INK)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def _draw_loss(axes, run: RunLog, colour: str) -> None:
    steps, losses = np.array(run.loss, dtype=float).T
    if len(steps) < _SMOOTH_FROM:
        axes.plot(steps, losses, color=colour, linewidth=1.8, label=run.name)
        return
    axes.plot(steps, losses, color=colour, linewidth=0.8, alpha=0.3)
    axes.plot(steps, _smooth(losses), color=colour, linewidth=1.8, label=run.name)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the mean over a twentieth of the curve around each point, less at its ends."""
    half = max(len(values) // 40, 1)
    return np.array([values[max(i - half, 0) : i + half + 1].mean() for i in range(len(values))])


def _draw_ap(axes, run: RunLog, colour: str) -> None:
    if not run.ap:
        return
    steps, values = np.array(run.ap, dtype=float).T
    label = f"{run.name}: AP {values[-1]:.3f} at the end"
    axes.plot(steps, values, color=colour, linewidth=1.8, marker="o", markersize=4, label=label)


def finish_axes(axes, title: str, unit: str, label: str) -> None:
    """Give axes the title and labels, and the look of this project's charts."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=_INK)
    axes.set_xlabel(unit, fontsize=11, color=_INK)
    axes.set_ylabel(label, fontsize=11, color=_INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    axes.tick_params(labelsize=10, colors=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
