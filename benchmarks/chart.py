"""Time against tensor size, from the records of benchmarks/op.py."""

from collections.abc import Sequence
from pathlib import Path

from cases import FORMATS, SERIES
from matplotlib.ticker import LogLocator, NullFormatter
from rows import USUAL, B

from dyrelu_pose.records.files import write_atomically
from dyrelu_pose.visualization.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PINK,
    SKY,
    YELLOW,
    finish,
    headline,
    legend,
    new_figure,
)  # fmt: skip

WHAT = "forward + backward"
COPY = "copy of the map"
# Markers tell lines apart in grey.
LINES = {
    USUAL: (ORANGE, "v"),
    f"{USUAL}, torch.compile": (YELLOW, "^"),
    f"{B} eager": (BLUE, "o"),
    f"{B} compile": (SKY, "s"),
    f"{B} numba": (GREEN, "*"),
    f"{B} triton": (GREEN, "P"),
    "SE + ReLU": (PINK, "D"),
    "ReLU": (INK, "x"),
}


def draw(records: Sequence[dict[str, str]], out: Path) -> None:
    """Draw the series of batch sizes and save the chart: a panel per dtype and memory format.

    Args:
        records: Rows of the CSV file, as read from it.
        out: Picture to write; its suffix decides the format.
    """
    records = [r for r in records if r["case"] == SERIES and r["what"] == WHAT]
    dtypes = list(dict.fromkeys(r["dtype"] for r in records))
    figure = new_figure(11, 4.3 * len(dtypes))
    panels = figure.subplots(len(dtypes), len(FORMATS), sharex=True, sharey=True, squeeze=False)
    for dtype, line in zip(dtypes, panels, strict=True):
        for memory_format, axes in zip(FORMATS, line, strict=True):
            chosen = [
                r for r in records if r["dtype"] == dtype and r["memory_format"] == memory_format
            ]
            _panel(axes, chosen)
            finish(axes, f"{memory_format}, {dtype}")
        line[0].set_ylabel(f"ms, {WHAT}")
    for axes in panels[-1]:
        axes.set_xlabel("size of the map (MiB)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    legend(figure, handles=handles, labels=labels, loc="outside right center")
    device, threads = records[0]["device"], records[0]["threads"]
    _, *size = records[0]["shape"].split("x")
    maps = f"maps of {'x'.join(size)} (CxHxW)"
    headline(figure, f"Activations on {maps}, {device}, {threads} thread(s)")
    write_atomically(out, figure.savefig)


def _panel(axes, records: Sequence[dict[str, str]]) -> None:
    for name, (color, marker) in LINES.items():
        points = sorted(_point(r, "median_ms") for r in records if r["row"] == name)
        if points:
            axes.plot(*zip(*points, strict=True), color=color, marker=marker, label=name)
    copies = sorted({_point(r, "copy_ms") for r in records})
    axes.plot(*zip(*copies, strict=True), color=GREY, linestyle="--", label=COPY)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _point(record: dict[str, str], column: str) -> tuple[float, float]:
    return int(record["input_bytes"]) / 2**20, float(record[column])
