"""The sites of a network in running order: as an axis, and as a strip of one bar each."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from matplotlib.ticker import NullLocator, ScalarFormatter

from dyrelu_pose.placement import Placement
from dyrelu_pose.records.files import write_atomically

from .style import BLUE, GREEN, GREY, INK, ORANGE, PINK, SHADE, finish, legend, new_figure

ROOM = 1 / 80  # of the axis, for a label
KEPT, OTHER = GREY, PINK
VARIANTS = {"DyReLUA": GREEN, "DyReLUB": BLUE, "DyReLUC": ORANGE}


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


def draw_site_strip(placements: Sequence[Placement], title: str, out: Path) -> None:
    """Draw a network in running order, with channels as height, and save the picture.

    Args:
        placements: What `place` returned.
        title: What the network is called.
        out: Picture to write; its suffix decides the format.
    """
    figure = new_figure(14, 4.5, dpi=130)
    axes = figure.subplots()
    finish(axes, f"{title}: {len(placements)} sites in running order", up="channels", grid="none")
    label_sites(axes, [placement.site.name for placement in placements])
    channels = [placement.site.channels for placement in placements]
    for (what, color), count in _legend(placements).items():
        bars = [i for i, placement in enumerate(placements) if _look(placement)[0] == what]
        heights = [channels[i] for i in bars]
        axes.bar(bars, heights, width=0.8, color=color, label=f"{what} ({count})")
    axes.set_yscale("log", base=2)
    axes.set_ylim(min(channels) / 2, max(channels) * 1.3)
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_locator(NullLocator())
    legend(axes, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))
    write_atomically(out, figure.savefig)


def _legend(placements: Sequence[Placement]) -> dict[tuple[str, str], int]:
    """How many sites look alike, by name and color, in running order."""
    looks = [_look(placement) for placement in placements]
    return {look: looks.count(look) for look in dict.fromkeys(looks)}


def _look(placement: Placement) -> tuple[str, str]:
    if placement.layer is None:
        return f"{placement.site.kind} kept", KEPT
    kind = type(placement.layer).__name__
    return kind, VARIANTS.get(kind, OTHER)
