"""Compiles the kernels that benchmarks/gpu.py times, in a process per core, before they are timed.

    python benchmarks/ahead.py

Runs DyReLU once on every map that a part of it meets. Triton keeps what it compiled on the disk,
where the processes that time find it.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

import torch
from cases import MAPS, NAMES, STUDY, TINY, Case, maps, sites
from mmengine.registry import init_default_scope
from model import JUDGED
from op import DTYPES, inputs
from records import console
from rich.progress import Progress
from rows import ROWS
from verify import outcome, run

from dyrelu_pose.config.arguments import at_least_one

BACKENDS = dict(cuda="triton", cpu="eager")
# Images, precision, and whether they train: what is timed, what is judged, and single images.
OF_MODELS = ((64, "bfloat16", True), (JUDGED, "float32", True), (1, "bfloat16", False))


class Job(NamedTuple):
    """A site to run once.

    Attributes:
        row: Name of a row of benchmarks/op.py.
        case: The map.
        dtype: Key in `op.DTYPES`.
        training: Whether also in training mode, with backward.
    """

    row: str
    case: Case
    dtype: str
    training: bool = True


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=BACKENDS, default="cuda")
    parser.add_argument("--tiny", action="store_true", help="one small map")
    parser.add_argument(
        "--jobs", type=at_least_one, default=os.cpu_count(), help="processes (%(default)s)"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run every site once."""
    args = parse_args(argv)
    init_default_scope("mmpose")
    rows = [row.name for row in ROWS if row.name.endswith(BACKENDS[args.device])]
    failures = []
    with Progress(console=console()) as progress, _executor(args.jobs) as executor:
        started = {
            executor.submit(compile_site, job, args.device): job for job in jobs(rows, args.tiny)
        }
        for done in progress.track(as_completed(started), len(started), description="compiling"):
            if error := done.exception():
                job = started[done]
                where = f"{job.row}, {job.case}, {job.dtype}"
                failures.append(f"{where}: {type(error).__name__}: {error}")
    print(f"{len(started) - len(failures)} of {len(started)} compiled")
    if failures:
        sys.exit("\n".join(failures))


def jobs(rows: Sequence[str], tiny: bool = False) -> Iterator[Job]:
    """Yield what benchmarks/gpu.py runs of some rows: in op.py, in steps.py, then in model.py."""
    if tiny:
        yield from (Job(row, case, "float32") for case in maps(TINY) for row in rows)
        return
    yield from (Job(row, case, "bfloat16") for case in maps(MAPS) for row in rows)
    yield from (Job(row, case, "float32") for case in sites(STUDY, 128) for row in rows)
    for case in (case for name in NAMES for case in sites(name, 64)):
        for batch, dtype, training in OF_MODELS:
            sized = case._replace(shape=(batch, *case.shape[1:]))
            yield from (Job(row, sized, dtype, training) for row in rows)


def compile_site(job: Job, device: str) -> None:
    """Run a row on a map: in evaluation, and then in training and backward."""
    row = next(row for row in ROWS if row.name == job.row)
    x, grad = inputs(job.case, DTYPES[job.dtype], device)
    module = row.build(x.shape[1]).to(device)
    if job.training:
        outcome(module, x, grad)
    else:
        with torch.no_grad():
            run(module.eval(), x)


def _executor(jobs: int) -> Executor:
    return ProcessPoolExecutor(jobs, get_context("spawn")) if jobs > 1 else _Here()


class _Here(Executor):
    """Runs jobs in this process."""

    def submit(self, function, /, *args, **kwargs) -> Future:
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


if __name__ == "__main__":
    main()
