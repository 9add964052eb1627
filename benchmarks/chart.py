"""Time against tensor size, from the records of benchmarks/op.py."""

from collections.abc import Sequence
from pathlib import Path

from cases import FORMATS, SERIES
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from rows import USUAL, B

WHAT = "forward + backward"
COPY = "copy of the map"
# Okabe and Ito's colours, told apart with any color vision; markers tell lines apart in grey.
LINES = {
    USUAL: ("#D55E00", "v"),
    f"{USUAL}, torch.compile": ("#E69F00", "^"),
    f"{B} eager": ("#0072B2", "o"),
    f"{B} compile": ("#56B4E9", "s"),
    f"{B} triton": ("#009E73", "P"),
    "SE + ReLU": ("#CC79A7", "D"),
    "ReLU": ("#333333", "x"),
}


def draw(records: Sequence[dict[str, str]], out: Path) -> None:
    """Draw the series of batch sizes and save the chart: a panel per dtype and memory format.

    Args:
        records: Rows of the CSV file, as read from it.
        out: Picture to write; its suffix decides the format.
    """
    records = [r for r in records if r["case"] == SERIES and r["what"] == WHAT]
    dtypes = list(dict.fromkeys(r["dtype"] for r in records))
    height = 4.3 * len(dtypes)
    figure = Figure(figsize=(11, height), dpi=150, layout="constrained")
    panels = figure.subplots(len(dtypes), len(FORMATS), sharex=True, sharey=True, squeeze=False)
    for dtype, line in zip(dtypes, panels, strict=True):
        for memory_format, axes in zip(FORMATS, line, strict=True):
            chosen = [
                r for r in records if r["dtype"] == dtype and r["memory_format"] == memory_format
            ]
            _panel(axes, chosen)
            axes.set_title(f"{memory_format}, {dtype}", loc="left", fontsize=11, fontweight="bold")
        line[0].set_ylabel(f"ms, {WHAT}")
    for axes in panels[-1]:
        axes.set_xlabel("size of the map (MiB)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=10)
    device, threads = records[0]["device"], records[0]["threads"]
    _, *size = records[0]["shape"].split("x")
    figure.suptitle(
        f"Activations on maps of {'x'.join(size)} (CxHxW), {device}, {threads} thread(s)",
        x=0.01, ha="left", fontsize=12,
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def _panel(axes, records: Sequence[dict[str, str]]) -> None:
    for name, (color, marker) in LINES.items():
        points = sorted(_point(r, "median_ms") for r in records if r["row"] == name)
        if points:
            axes.plot(*zip(*points, strict=True), color=color, marker=marker, label=name)
    copies = sorted({_point(r, "copy_ms") for r in records})
    axes.plot(*zip(*copies, strict=True), color="#999999", linestyle="--", label=COPY)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)


def _point(record: dict[str, str], column: str) -> tuple[float, float]:
    return int(record["input_bytes"]) / 2**20, float(record[column])
