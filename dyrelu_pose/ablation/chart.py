"""The chart of an ablation: a bar per cell and, for a matrix, the differences as a heat map."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dyrelu_pose.records.files import write_atomically
from dyrelu_pose.visualization.style import BLUE, DIVERGING, GREY, INK, finish, headline, new_figure

from .grid import Grid
from .significance import Summary
from .table import MISSING, data_of, format_mean, summaries

BAR, BASELINE = BLUE, GREY
PALEST = 1.0  # AP at full color, at least: differences within the seeds stay pale


def draw_chart(grid: Grid, rows: Sequence[dict], out: Path) -> None:
    """Draw the AP of the cells that have a finished run, and save the chart.

    Args:
        grid: The grid.
        rows: Rows of `results.rows_of`, at least one of them finished.
        out: Picture to write; its suffix decides the format.
    """
    found = summaries(grid, rows)
    height = max(1.6 + 0.34 * len(grid.cells), 3.5)
    figure = new_figure(13 if grid.rows else 8, height)
    panels = figure.subplots(1, 2 if grid.rows else 1, squeeze=False)[0]
    _draw_bars(panels[0], grid, found, f"{data_of(rows)} AP".strip())
    if grid.rows:
        _draw_map(figure, panels[1], grid, found)
    seeds = sorted({summary.seeds for summary in found.values()})
    number = "-".join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))
    spread = "1 seed, so no spread" if number == "1" else f"{number} seeds, lines: +- 1 std"
    headline(figure, f"{grid.name}: {spread}")
    write_atomically(out, figure.savefig)


def _draw_bars(axes, grid: Grid, found: dict[str, Summary], label: str) -> None:
    names = list(grid.cells)
    for i, name in enumerate(names):
        if name not in found:
            axes.text(0, i, f" {MISSING}", va="center", fontsize=9, color=INK)
            continue
        summary = found[name]
        color = BASELINE if name == grid.baseline else BAR
        axes.barh(i, summary.mean, xerr=summary.std, color=color, ecolor=INK, capsize=3)
        end = summary.mean + (summary.std or 0)
        axes.text(
            end, i, f" {format_mean(summary, name, grid)}", va="center", fontsize=9, color=INK
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.22)
    axes.set_xlim(left=0)
    finish(axes, across=f"{label} (%), and difference to {grid.baseline}", grid="x")


def _draw_map(figure: Figure, axes, grid: Grid, found: dict[str, Summary]) -> None:
    names = [[f"{row}+{column}" for column in grid.columns] for row in grid.rows]
    differences = [[found[n].difference if n in found else None for n in line] for line in names]
    values = np.array(differences, dtype=float)  # None is NaN
    limit = max(np.nanmax(np.abs(values), initial=0), PALEST)
    image = axes.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        name = names[i][j]
        text = format_mean(found[name], name, grid, "\n") if name in found else MISSING
        dark = np.isfinite(value) and abs(value) > 0.75 * limit
        axes.text(j, i, text, ha="center", va="center", color="white" if dark else INK)
    axes.set_xticks(range(len(grid.columns)), grid.columns)
    axes.set_yticks(range(len(grid.rows)), grid.rows)
    axes.set_ylabel(grid.axes[0], color=INK)
    axes.set_xlabel(grid.axes[1], color=INK)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label=f"difference to {grid.baseline}", shrink=0.8)
