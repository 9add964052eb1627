"""What sites cost on the host of a GPU, counted without one, and what was measured on one."""

from pathlib import Path

from dyrelu_pose.records.tables import markdown_table

from .page import link, threads
from .speed import BENCH, bench

SHOWN = ("torch", "triton")  # of the versions in a record


def speed_host(page: Path) -> str:
    """Return what a site costs on the host with Triton's backend, its kernels left out."""
    rows = bench("host")
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["row"], {})[row["what"]] = row
    lines = []
    for name, of in found.items():
        both = of["forward + backward"]
        python, ordinary = (
            _microseconds(of.get(f"forward + backward, {suffix}"))
            for suffix in ("with Triton's Python", "every launch by JITFunction")
        )
        forward, backward = _microseconds(of["forward"]), _microseconds(both)
        counted = (both[column] for column in ("launches", "aten", "allocations"))
        lines.append([name, forward, backward, python, ordinary, *counted])
    header = (
        *("host time, µs", "forward", "forward + backward", "with Triton's Python"),
        *("each launch by `JITFunction`", "launches", "other operations", "allocations"),
    )
    last = rows[-1]
    versions = ", ".join(v for v in last["versions"].split(", ") if v.split()[0] in SHOWN)
    return (
        f"{markdown_table(header, lines)}\n\n{link(page, BENCH / 'host.csv')}: {last['device']}, "
        f"{threads(last['threads'])}, {versions}, {last['date']}. In brackets: relative to ReLU."
    )


def _microseconds(row: dict[str, str] | None) -> str:
    return f"{float(row['host_us']):.1f} ({float(row['times_relu']):.1f}x)" if row else ""


def speed_h200(page: Path) -> str:
    """Return the times of maps on one GPU, from before sites had plans."""
    rows = bench("h200_notes")
    lines = [
        [r["row"], r["forward_us"], r["forward_backward_us"], r["eager_forward_backward_us"]]
        for r in rows
    ]
    header = (
        f"{rows[0]['map']}, µs",
        *("forward, kernels", "forward + backward, kernels"),
        "forward + backward, called from eager PyTorch",
    )
    last = rows[-1]
    return (
        f"{markdown_table(header, lines)}\n\n{link(page, BENCH / 'h200_notes.csv')}, written down "
        f"by hand: {last['device']}, {last['versions']}, {last['revision']}. The kernels "
        "were timed by replaying a CUDA graph."
    )
