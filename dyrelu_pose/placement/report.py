"""The table of sites that a person reads."""

from collections import Counter
from collections.abc import Sequence

from torch import nn

from dyrelu_pose.errors import plural
from dyrelu_pose.records.tables import text_table

from .place import Placement
from .probe import LINEAR, probe

HEADER = ("site", "channels", "map (HxW)", "original", "placed")
NUMBERS = (HEADER.index("channels"),)


def format_sites(placements: Sequence[Placement]) -> str:
    """Print placements as a table of aligned plain-text columns, followed by totals.

    Args:
        placements: What :func:`place` returned, or :func:`with_linear`.

    Returns:
        One line per site in running order; `-` where the original activation was kept. Then one
        line of totals per top-level part (backbone, neck, head), one for the model, and one for
        linear sites without a layer, which the others do not count.
    """
    table = text_table(HEADER, [_row(placement) for placement in placements], NUMBERS)
    return "\n".join([table, "", *_totals(placements)])


def _row(placement: Placement) -> tuple[str, ...]:
    site = placement.site
    size = "x".join(map(str, site.size))
    return site.name, str(site.channels), size, site.kind, placement.placed or "-"


def with_linear(
    placements: Sequence[Placement], model: nn.Module, input_size: tuple[int, int]
) -> list[Placement]:
    """Return the placements in a model, and its linear sites without a layer among them.

    Args:
        placements: What :func:`place` returned.
        model: The model, after placement.
        input_size: Width and height of its input in pixels.
    """
    known = {placement.site.name: placement for placement in placements}
    return [
        known.get(site.name, Placement(site, None))
        for site in probe(model, input_size, linear=True)
    ]


def _totals(placements: Sequence[Placement]) -> list[str]:
    parts: dict[str, Counter[str]] = {}
    free = [p for p in placements if p.site.linear and p.layer is None]
    for placement in (p for p in placements if p not in free):
        kept = f"{placement.site.kind} (kept)"
        part = placement.site.name.partition(".")[0]
        parts.setdefault(part, Counter())[placement.placed or kept] += 1
    parts["total"] = sum(parts.values(), Counter())
    width = max(map(len, parts))
    lines = [
        f"{part.ljust(width)}  {plural(counts.total(), 'site')}: "
        + (", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none")
        for part, counts in parts.items()
    ]
    if free:
        lines.append(
            f"{LINEAR.ljust(width)}  {plural(len(free), 'more site')}, for rules with linear=True"
        )
    return lines
