"""From records to a folder: figures, the table of coefficients, and the page."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .activations import Picture, SiteRecord
from .figures import draw_band, draw_functions, draw_maps, draw_slope_gaps
from .page import SLOPES, TABLE, Section, write_page
from .statistics import relative_conditional_std, statistics, widest_channel, write_statistics

PAGE = "index.html"


def write_report(
    out: Path,
    records: Sequence[SiteRecord],
    pictures: Sequence[Picture],
    config: str,
    checkpoint: str,
    progress: Callable[[Sequence], Iterable] = lambda records: records,
) -> Path:
    """Draw and describe what was recorded.

    Args:
        out: Folder for the files; it is made.
        records: What `collect` returned: those with samples get figures of their own.
        pictures: The images, as `collect` returned them.
        config: What the model is called on the page.
        checkpoint: What its weights are called.
        progress: A function of the records that yields them, for showing progress.

    Returns:
        The page.
    """
    out.mkdir(parents=True, exist_ok=True)
    dynamic = [record for record in records if record.dynamic]
    rows = [statistics(record) for record in dynamic]
    if dynamic:
        write_statistics(rows, out / TABLE)
        draw_slope_gaps(dynamic).savefig(out / SLOPES)
    sections = [_section(out, r, pictures) for r in progress([r for r in records if r.x])]
    write_page(out / PAGE, config, checkpoint, len(pictures), rows, sections)
    return out / PAGE


def _section(out: Path, record: SiteRecord, pictures: Sequence[Picture]) -> Section:
    name = record.site.name
    channel = widest_channel(record)
    files = {"band": draw_band(record, channel)}
    if record.dynamic:
        files["functions"] = draw_functions(record, pictures)
    if record.maps:
        files["maps"] = draw_maps(record, pictures)
    for kind, figure in files.items():
        figure.savefig(out / f"{name}.{kind}.png")
    return Section(
        name=name,
        layer=type(record.layer).__name__,
        channel=channel,
        conditional_std=relative_conditional_std(record),
        **{kind: f"{name}.{kind}.png" for kind in files},
    )
