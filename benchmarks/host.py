"""Times what a site costs on the host with Triton's backend: everything but the kernels.

    python benchmarks/host.py

Writes results/bench/host.csv. No GPU is used, and none is needed: the map is so small that
PyTorch's own operations take little on a CPU, and Triton's kernels are never started. Columns:

    what         `forward` is recorded by autograd; `backward` yields the gradients of the input and
                 of all parameters
    host_us      median time of a call. Of DyReLU, all that runs before Triton is called, which is
                 not; ", with Triton's Python" adds its part of a launch, without the C function
                 that unpacks the arguments and calls the driver; ", every launch by JITFunction"
                 is the same where plans do not start compiled kernels themselves
    times_relu   over ReLU's
    launches     of Triton's kernels
    aten         operations of PyTorch, counted by its profiler, without those that only allocate
    allocations  of memory

All calls take turns in one process on one thread.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from cases import FORMATS
from launches import direct, planned, starting, with_plans, without_a_gpu
from records import console, origin_on, write
from rich.progress import Progress
from rich.table import Table
from rows import NORM_B, NORM_RELU, ROWS, B, C
from torch import Tensor
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.config.arguments import at_least_one

OUT = Path(__file__).parents[1] / "results/bench/host.csv"
PLANNED = (f"{B} triton", f"{C} triton", f"{NORM_B} fuse_norm, triton")
NAMES = ("ReLU", NORM_RELU, "SE + ReLU", *PLANNED)
SHAPE = (2, 32, 4, 4)
WHATS = ("forward", "forward + backward")
DIRECT, ORDINARY = ", with Triton's Python", ", every launch by JITFunction"
ALLOCATIONS = ("aten::empty", "aten::empty_like", "aten::new_empty", "aten::empty_strided")
KEY = ("row", "what")
SEED = 0


class Site:
    """A row on a small map.

    Args:
        name: One of `NAMES`.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        torch.manual_seed(SEED)
        self.module = next(row for row in ROWS if row.name == name).build(SHAPE[1])
        x = torch.randn(SHAPE).to(memory_format=FORMATS["channels_last"])
        self.x, self.grad = x.requires_grad_(), torch.randn_like(x)
        self.leaves: list[Tensor] = [self.x, *self.module.parameters()]

    def call(self, what: str) -> None:
        """Run what is measured once."""
        y = self.module(self.x)
        if what != WHATS[0]:
            torch.autograd.grad(y, self.leaves, self.grad)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--repeats", type=at_least_one, default=51, help="measurements (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file to write (%(default)s)")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    args = parse_args(argv)
    torch.set_num_threads(1)
    with Progress(console=console()) as progress:
        task = progress.add_task("timing", total=args.repeats)
        records = measure(args.repeats, lambda: progress.advance(task))
    console().print(table(records))
    write(args.out, [r | origin_on("cpu", SEED, "triton") for r in records], KEY)


def measure(repeats: int, tick: Callable[[], object]) -> list[dict]:
    """Return a record of every row and what is measured of it."""
    with planned(), without_a_gpu():
        calls = {(site.name, what): call for site in map(Site, NAMES) for what, call in of(site)}
        with direct(False):  # nothing learns more
            seconds = time_in_turns(calls, repeats, SEED, tick)
        counted = {(name, what): counts(Site(name), what) for name in NAMES for what in WHATS}
    times = {key: percentiles(found) for key, found in seconds.items()}
    records = []
    for (name, what), found in times.items():
        same = what.partition(",")[0]
        records.append(
            dict(
                row=name,
                what=what,
                host_us=found["median_ms"] * 1e3,
                p20_us=found["p20_ms"] * 1e3,
                p80_us=found["p80_ms"] * 1e3,
                times_relu=found["median_ms"] / times["ReLU", same]["median_ms"],
                **counted[name, same],
                shape="x".join(map(str, SHAPE)),
                repeats=repeats,
            )
        )
    return records


def of(site: Site) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is measured of a row, and its call."""
    if site.name not in PLANNED:
        for what in WHATS:
            yield what, partial(site.call, what)
        return
    with starting(lambda *args: None):
        for what in WHATS:
            yield what, with_plans(partial(site.call, what))
    for suffix, on in ((DIRECT, True), (ORDINARY, False)):
        with direct(on):
            yield WHATS[1] + suffix, with_plans(partial(site.call, WHATS[1]))


def counts(site: Site, what: str) -> dict[str, int]:
    """Return how many kernels of Triton a call launches, and operations of PyTorch it calls."""
    started = []
    with starting(lambda *args: started.append(args)):
        call = with_plans(partial(site.call, what))
        call()
        started.clear()
        with profile(activities=[ProfilerActivity.CPU]) as record:
            call()
    names = [event.name for event in record.events() if is_outermost(event)]
    allocations = sum(name in ALLOCATIONS for name in names)
    return dict(launches=len(started), aten=len(names) - allocations, allocations=allocations)


def is_outermost(event: FunctionEvent) -> bool:
    """Return whether an event is an operation of PyTorch that no other one calls."""
    parent = event.cpu_parent
    while parent is not None and not parent.name.startswith("aten::"):
        parent = parent.cpu_parent
    return parent is None and event.name.startswith("aten::")


def table(records: Sequence[dict]) -> Table:
    """Return what a person reads of the records."""
    result = Table(title="host time of a site")
    columns = ("row", "what", "us", "20-80 %", "x ReLU", "launches", "aten", "allocations")
    for column in columns:
        result.add_column(column, justify="left" if column in KEY else "right")
    for r in records:
        result.add_row(
            r["row"],
            r["what"],
            f"{r['host_us']:.1f}",
            f"{r['p20_us']:.1f}-{r['p80_us']:.1f}",
            f"{r['times_relu']:.2f}",
            *(str(r[column]) for column in columns[5:]),
        )
    return result


if __name__ == "__main__":
    main()
