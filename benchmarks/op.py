"""Times DyReLU layers beside ReLU, SiLU, squeeze-and-excitation and the usual formulation.

    python benchmarks/op.py --quick     # DyReLU-B on two sizes of map, within a minute on a CPU
    python benchmarks/op.py             # and -C, norms, all sites of HRNet-W32 and MobileNetV2

Writes results/bench/op_cpu.csv (gpu/op_cuda.csv on a GPU) and a chart beside it. No row is timed
unless its output, in training and in evaluation, and all its gradients agree with
backend='reference'; the exit status is 1 if one was refused. Rows of the file that are not timed
again stay.

`forward` is in evaluation mode without gradients, `forward + backward` in training mode with the
gradients of the input and of all parameters. All rows of a case take turns in one process, on one
thread on a CPU. On a GPU, times are those of the kernels alone, replayed from a CUDA graph; two
columns more say what the same calls take from Python. Columns that need a word:

    times_baseline   its time over that of ReLU, or of BatchNorm2d + ReLU where it has a norm
    usual_times      the usual formulation's time over its own: how many times faster it is
    copy_ms          time to copy the map into memory that is there already
    gb_per_s         10^9 bytes per second, if it moved no more than the full-size reads and writes
                     that its function cannot do without; for the copy, one read and one write
    called_ms        on a GPU: time of the call from Python, one after the other
    host_ms          on a GPU: until such a call returns, while the GPU has nothing to do
    roofline         gb_per_s over that of the copy
    kept_bytes       kept for the backward pass, its input included; not parameters
    peak_bytes       highest allocation above what was there before the call
    first_call_s     seconds of its first passes, compilation included where nothing was cached
"""

import argparse
import copy
import sys
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from cases import FORMATS, MAPS, NAMES, QUICK, TINY, Case, maps, series, sites
from device import host_ms, time_kernels
from measure import peak_bytes
from mmengine.registry import init_default_scope
from records import console, origin_on, write
from rich.progress import Progress
from rich.table import Table
from rows import REFERENCES, ROWS, USUAL, B, Row
from torch import Tensor, nn
from verify import TOLERANCES, disagreement, outcome, run, without_ties

from dyrelu_pose.complexity.activations import kept_bytes
from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.records.files import read_csv

OUT = Path(__file__).parents[1] / "results/bench"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
CASES = {
    "maps": lambda batch: maps(MAPS),
    "tiny": lambda batch: maps(TINY),
    "series": lambda batch: series(),
    **{name: partial(sites, name) for name in NAMES},
}
KEY = ("case", "shape", "dtype", "memory_format", "row", "what")
SEED = 0


class Subject(NamedTuple):
    """A row that may be timed."""

    row: Row
    module: nn.Module
    first_call_s: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="DyReLU-B on two sizes of map only")
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, help="all but tiny; maps on a GPU only"
    )
    parser.add_argument("--rows", nargs="+", default=["*"], help="patterns of what to time")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="the GPU, if there is one")
    parser.add_argument(
        "--dtypes", nargs="+", choices=DTYPES, help="float32; on a GPU bfloat16 as well"
    )
    parser.add_argument("--batch", type=at_least_one, help="images at the sites (8; on a GPU 64)")
    parser.add_argument(
        "--repeats", type=at_least_one, help="measurements of each (9; with --quick 5)"
    )
    parser.add_argument("--threads", type=at_least_one, default=1, help="on a CPU (%(default)s)")
    parser.add_argument("--out", type=Path, help=f"CSV file to write (in {OUT.name}/)")
    args = parser.parse_args(argv)
    args.device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    gpu = args.device == "cuda"
    args.dtypes = args.dtypes or (["float32", "bfloat16"] if gpu else ["float32"])
    args.cases = args.cases or [*(["maps"] if gpu else []), "series", *NAMES]
    args.batch = args.batch or (64 if gpu else 8)
    args.repeats = args.repeats or (5 if args.quick else 9)
    args.out = args.out or OUT / ("gpu" if gpu else "") / f"op_{args.device}.csv"
    return args


def main() -> None:
    """Time all cases, write each down when it is done, and draw the chart."""
    args = parse_args()
    init_default_scope("mmpose")
    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    # Without this, torch.compile would quietly run the usual formulation uncompiled after a while.
    torch._dynamo.config.recompile_limit = 64
    rows = [
        row
        for row in ROWS
        if args.device in row.devices and any(fnmatchcase(row.name, p) for p in args.rows)
    ]
    if args.quick:
        rows = [row for row in rows if row.baseline == "ReLU" and row.reference in (None, B)]
        cases = series(QUICK)
    else:
        cases = [case for name in args.cases for case in CASES[name](args.batch)]
    refusals = []
    with Progress(console=console()) as progress:
        steps = len(rows) + 2 * args.repeats
        task = progress.add_task("timing", total=steps * len(cases) * len(args.dtypes))
        for case in cases:
            for dtype in args.dtypes:
                progress.update(task, description=f"{case}, {dtype}")
                found, refused = measure(case, dtype, rows, args, lambda: progress.advance(task))
                progress.console.print(table(f"{case}, {dtype}", found))
                write(args.out, found, KEY)
                refusals += [f"{case}, {dtype}: {reason}" for reason in refused]
    print(args.out)
    if args.quick or "series" in args.cases:
        from chart import draw  # Matplotlib, which a machine for timings may lack

        draw(read_csv(args.out), args.out.with_suffix(".png"))
        print(args.out.with_suffix(".png"))
    if refusals:
        sys.exit("\n".join(["refused, not timed:", *refusals]))


def measure(
    case: Case,
    dtype: str,
    rows: Sequence[Row],
    args: argparse.Namespace,
    tick: Callable[[], object] = lambda: None,
) -> tuple[list[dict], list[str]]:
    """Judge all rows on a map, then time those that are right.

    Args:
        case: The map.
        dtype: Key in `DTYPES`.
        rows: What to time, baselines first.
        args: `device` and `repeats`.
        tick: Called once per row and `2 * repeats` times more.

    Returns:
        A record per row and per what was timed; and a sentence on each row that was refused.
    """
    x, grad = inputs(case, DTYPES[dtype], args.device)
    tolerance = TOLERANCES[x.dtype]
    references = {
        row.reference: build_reference(row.reference, x.shape[1]) for row in rows if row.reference
    }
    states = copy.deepcopy({name: reference.state_dict() for name, reference in references.items()})
    for reference in references.values():
        reference.to(x.device, torch.float64)
    grad = without_ties(grad, x.double(), references.values(), tolerance.tie)
    expected = {
        name: {
            tensor: value.float() for tensor, value in outcome(reference, x.double(), grad).items()
        }
        for name, reference in references.items()
    }
    subjects, refusals = [], []
    for row in rows:
        torch.manual_seed(SEED)
        module = row.build(x.shape[1])
        if row.reference:
            module.load_state_dict(states[row.reference])
        start = time.perf_counter()
        found = outcome(module.to(x.device), x, grad)
        subject = Subject(row, module, time.perf_counter() - start)
        allowed = tolerance.usual if row.name.startswith(USUAL) else tolerance.error
        wrong = row.reference and disagreement(found, expected[row.reference], allowed)
        if wrong:
            refusals.append(f"{row.name}: {wrong}")
        else:
            subjects.append(subject)
        tick()
    del references, expected, found
    place = dict(
        case=case.name,
        sites=case.sites or "",
        shape="x".join(map(str, case.shape)),
        dtype=dtype,
        memory_format=case.memory_format,
    )
    records = [
        *forward(subjects, x, args.repeats, tick),
        *forward_backward(subjects, x, grad, args.repeats, tick),
    ]
    source = origin_on(args.device, SEED)
    return [place | record | source for record in records], refusals


def inputs(case: Case, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    """Return a map and a gradient of its shape. Planes have means of their own, as real ones do."""
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(case.shape, generator=generator)
    x += torch.randn(case.shape[:2], generator=generator)[..., None, None]
    grad = torch.randn(case.shape, generator=generator)
    memory_format = FORMATS[case.memory_format]
    return tuple(t.to(device, dtype, memory_format=memory_format) for t in (x, grad))


def build_reference(name: str, channels: int) -> nn.Module:
    """Return a reference module, seeded; the same weights for the same arguments."""
    torch.manual_seed(SEED)
    module = REFERENCES[name](channels)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "fc2" in name:
                parameter.mul_(4)  # coefficients over all of their range, so that each branch wins
        for norm in (m for m in module.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.weight.normal_(1, 0.2)
            norm.bias.normal_(0, 0.2)
    return module


def forward(subjects: Sequence[Subject], x: Tensor, repeats: int, tick: Callable) -> list[dict]:
    """Time the forward pass in evaluation mode."""

    def call(module: nn.Module) -> Tensor:
        with torch.no_grad():
            return run(module, x)

    for subject in subjects:
        subject.module.eval()
    calls = {s.row.name: lambda module=s.module: call(module) for s in subjects}
    return summaries("forward", 0, subjects, calls, x, repeats, tick)


def forward_backward(
    subjects: Sequence[Subject], x: Tensor, grad: Tensor, repeats: int, tick: Callable
) -> list[dict]:
    """Time the forward pass in training mode and the gradients of the input and of parameters."""
    leaf = x.detach().requires_grad_()

    def call(module: nn.Module) -> tuple[Tensor, ...]:
        y = run(module, leaf)
        return torch.autograd.grad(y, [leaf, *module.parameters()], grad.to(y.dtype))

    for subject in subjects:
        subject.module.train()
    calls = {s.row.name: lambda module=s.module: call(module) for s in subjects}
    found = summaries("forward + backward", 1, subjects, calls, x, repeats, tick)
    for subject, record in zip(subjects, found, strict=True):
        module = subject.module
        record["kept_bytes"] = kept_bytes(
            lambda module=module: run(module, leaf), module.parameters()
        )
    return found


def summaries(
    what: str,
    index: int,
    subjects: Sequence[Subject],
    calls: dict[str, Callable[[], object]],
    x: Tensor,
    repeats: int,
    tick: Callable,
) -> list[dict]:
    """Time calls in turns with a copy of `x`, and return the measured columns of each.

    Args:
        what: Name of what the calls do.
        index: Which of a row's `passes` that is.
        subjects: Rows.
        calls: What to time, by the rows' names.
        x: The map.
        repeats: Measurements of each.
        tick: Called once per repeat.
    """
    target = torch.empty_like(x)
    timed = time_kernels if x.is_cuda else time_in_turns
    seconds = timed({**calls, "copy": lambda: target.copy_(x)}, repeats, SEED, tick)
    called = time_in_turns(calls, repeats, SEED) if x.is_cuda else {}
    times = {name: percentiles(found) for name, found in seconds.items()}
    medians = {name: found["median_ms"] for name, found in times.items()}
    size = x.nbytes
    records = []
    for row, _, first_call_s in subjects:
        median, usual = medians[row.name], medians.get(USUAL) if row.reference == B else None
        rate, copy_rate = row.passes[index] * size / median / 1e6, 2 * size / medians["copy"] / 1e6
        records.append(
            dict(
                row=row.name,
                what=what,
                **times[row.name],
                times_baseline=median / medians[row.baseline] if row.baseline in medians else "",
                usual_times=usual / median if usual else "",
                called_ms=percentiles(called[row.name])["median_ms"] if called else "",
                host_ms=host_ms(calls[row.name]) if called else "",
                copy_ms=medians["copy"],
                gb_per_s=rate,
                copy_gb_per_s=copy_rate,
                roofline=rate / copy_rate,
                input_bytes=size,
                kept_bytes="",
                peak_bytes=peak_bytes(calls[row.name]),
                first_call_s=first_call_s,
                repeats=repeats,
            )
        )
    return records


def table(title: str, records: Sequence[dict]) -> Table:
    """Return what a person reads of the records of one map: one line per row."""
    result = Table(title=title, caption="kept and peak: times the size of the map")
    result.add_column("row")
    measured = ("forward", "+ backward", "20-80 %", "x baseline", "usual /", "roofline")
    for name in (*measured, "kept", "peak"):
        result.add_column(name, justify="right")
    forwards = {r["row"]: r for r in records if r["what"] == "forward"}
    for r in records:
        if r["what"] == "forward":
            continue
        ratios = (r[key] for key in ("times_baseline", "usual_times", "roofline"))
        memory = (r[key] / r["input_bytes"] for key in ("kept_bytes", "peak_bytes"))
        result.add_row(
            r["row"],
            f"{forwards[r['row']]['median_ms']:.3g} ms",
            f"{r['median_ms']:.3g} ms",
            f"{r['p20_ms']:.3g}-{r['p80_ms']:.3g}",
            *("" if number == "" else f"{number:.2f}" for number in (*ratios, *memory)),
        )
    return result


if __name__ == "__main__":
    main()
