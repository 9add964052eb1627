"""The table of sites that a person reads."""

from collections import Counter
from collections.abc import Sequence

from dyrelu_pose.records.tables import text_table

from .place import Placement

HEADER = ("site", "channels", "map (HxW)", "original", "placed")
NUMBERS = (HEADER.index("channels"),)


def format_sites(placements: Sequence[Placement]) -> str:
    """Print placements as a table of aligned plain-text columns, followed by totals.

    Args:
        placements: What :func:`place` returned.

    Returns:
        One line per site in running order; ``-`` where the original activation was kept. Then one
        line of totals per top-level part (backbone, neck, head), and one for the model.
    """
    table = text_table(HEADER, [_row(placement) for placement in placements], NUMBERS)
    return "\n".join([table, "", *_totals(placements)])


def _row(placement: Placement) -> tuple[str, ...]:
    site = placement.site
    size = "x".join(map(str, site.size))
    return site.name, str(site.channels), size, site.kind, placement.placed or "-"


def _totals(placements: Sequence[Placement]) -> list[str]:
    parts: dict[str, Counter[str]] = {}
    for placement in placements:
        kept = f"{placement.site.kind} (kept)"
        part = placement.site.name.partition(".")[0]
        parts.setdefault(part, Counter())[placement.placed or kept] += 1
    parts["total"] = sum(parts.values(), Counter())
    width = max(map(len, parts))
    return [
        f"{part.ljust(width)}  {counts.total()} sites: "
        + (", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none")
        for part, counts in parts.items()
    ]
