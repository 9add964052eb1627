"""What sites cost on the host of a GPU, counted without one, and what was measured on one."""

from pathlib import Path

from dyrelu_pose.records.tables import markdown_table

from .page import link, threads, values
from .speed import BENCH, bench, made, maps

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


def speed_gpu(page: Path) -> str:
    """Return the times of single activations on a GPU: their kernels, and called from Python."""
    rows = bench("gpu/op_cuda")
    found: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        found.setdefault((row["memory_format"], row["row"]), {})[row["what"]] = row
    lines = [
        [
            memory_format,
            name,
            *(_times(of[what], "median_ms") for what in ("forward", "forward + backward")),
            f"{float(of['forward + backward']['called_ms']):.2f} ms",
            maps(of["forward + backward"], "peak_bytes"),
        ]
        for (memory_format, name), of in found.items()
    ]
    header = (
        f"{values(rows, 'shape')}, {values(rows, 'dtype')}",
        *("activation", "forward, kernels", "forward + backward, kernels"),
        *("the same, called from Python", "peak memory"),
    )
    (tests,) = bench("gpu/tests_notes")
    passed = (
        f"Of the tests of kernels and of `--cuda-graph`, {tests['passed']} passed on the same kind "
        f"of GPU and {tests['failed']} failed; {tests['skipped']} are for machines without one "
        f"({link(page, BENCH / 'gpu/tests_notes.csv')}, written down by hand)."
    )
    return f"{markdown_table(header, lines)}\n\n{made(page, 'gpu/op_cuda')} {passed}"


def speed_gpu_models(page: Path) -> str:
    """Return the times of whole models on a GPU."""
    rows = bench("gpu/model_cuda")
    found: dict[tuple[str, str], dict[tuple[str, str], dict[str, str]]] = {}
    for row in rows:
        found.setdefault((row["case"], row["row"]), {})[row["what"], row["batch"]] = row
    batch = max(rows, key=lambda row: int(row["batch"]))["batch"]
    step, replayed = (("training step" + way, batch) for way in ("", " from a graph"))
    lines = [
        [
            case,
            name,
            *(_times(of[what], "median_ms", "times_relu") for what in (step, replayed)),
            f"{float(of[step]['peak_bytes']) / 2**30:.1f} GiB",
            *(
                _times(of["inference", images], "median_ms", "times_relu")
                for images in ("1", batch)
            ),
        ]
        for (case, name), of in found.items()
    ]
    header = (
        *("model", "activation", f"training step of {batch}", "from a CUDA graph"),
        *("peak memory", "inference of 1", f"inference of {batch}"),
    )
    note = "In bfloat16 autocast and channels_last; inference is replayed from a CUDA graph."
    return f"{markdown_table(header, lines)}\n\n{made(page, 'gpu/model_cuda')} {note}"


def _times(row: dict[str, str], column: str, ratio: str = "times_baseline") -> str:
    return f"{float(row[column]):#.3g} ms ({float(row[ratio]):.2f}x)"
