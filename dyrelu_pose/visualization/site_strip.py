"""The sites of a network as a strip: one bar each, coloured by the activation that is there."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from dyrelu_pose.placement import Placement

from .learning_curve import COLOURS
from .site_axis import INK, label_sites

KEPT = "#999999"
VARIANTS = dict(zip(("DyReLUB", "DyReLUC", "DyReLUA"), COLOURS, strict=False))


def draw_site_strip(placements: Sequence[Placement], title: str, out: Path) -> None:
    """Draw a network in running order, with channels as height, and save the picture.

    Args:
        placements: What `place` returned.
        title: What the network is called.
        out: Picture to write; its suffix decides the format.
    """
    figure = Figure(figsize=(14, 4.5), dpi=130, layout="constrained")
    axes = figure.subplots()
    label_sites(axes, [placement.site.name for placement in placements])
    channels = [placement.site.channels for placement in placements]
    for (what, colour), count in _legend(placements).items():
        bars = [i for i, placement in enumerate(placements) if _look(placement)[0] == what]
        heights = [channels[i] for i in bars]
        axes.bar(bars, heights, width=0.8, color=colour, label=f"{what} ({count})")
    axes.set_yscale("log", base=2)
    axes.set_ylim(min(channels) / 2, max(channels) * 1.3)
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("channels", fontsize=11, color=INK)
    axes.set_title(
        f"{title}: {len(placements)} sites in running order",
        loc="left", fontsize=12, fontweight="bold", color=INK,
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        frameon=False, fontsize=10, labelcolor=INK, ncols=4,
        loc="lower right", bbox_to_anchor=(1, 1),
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def _legend(placements: Sequence[Placement]) -> dict[tuple[str, str], int]:
    """How many sites look alike, by name and colour, in running order."""
    looks = [_look(placement) for placement in placements]
    return {look: looks.count(look) for look in dict.fromkeys(looks)}


def _look(placement: Placement) -> tuple[str, str]:
    if placement.layer is None:
        return f"{placement.site.kind} kept", KEPT
    kind = type(placement.layer).__name__
    return kind, VARIANTS.get(kind, COLOURS[len(VARIANTS)])
