"""An axis that has the sites of a network in running order."""

from collections.abc import Sequence
from itertools import groupby

INK, SHADE = "#333333", "#F1F1F1"
ROOM = 1 / 80  # of the axis, for a label


def label_sites(axes, names: Sequence[str]) -> None:
    """Shade every second stage of a network along x, and name the stages where there is room.

    A stage is a run of sites whose names begin with the same two parts (`backbone.layer1`).

    Args:
        axes: Axes in which site i is at x = i.
        names: Names of the sites in running order.
    """
    start, ticks, labels = 0, [], []
    stages = groupby(names, lambda name: ".".join(name.split(".")[:2]))
    for number, (stage, members) in enumerate(stages):
        end = start + len(list(members))
        if number % 2 == 0:
            axes.axvspan(start - 0.5, end - 0.5, color=SHADE, linewidth=0, zorder=0)
        middle = (start + end - 1) / 2
        if not ticks or middle - ticks[-1] > ROOM * len(names):
            ticks.append(middle)
            labels.append(stage)
        start = end
    axes.set_xticks(ticks, labels, rotation=90, fontsize=9, color=INK)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.tick_params(axis="x", length=0)
