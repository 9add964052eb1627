"""Compiles the kernels of DyReLU's sites for a GPU, in a process per core, before they are timed.

    python benchmarks/ahead.py

Triton keeps what it compiled on the disk, where the processes that time networks find it.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from cases import Case
from mmengine.registry import init_default_scope
from op import CASES, DTYPES, inputs
from records import console
from rich.progress import Progress
from rows import ROWS
from verify import outcome

from dyrelu_pose.config.arguments import at_least_one

# What one core compiles for one site: forward and backward, in training and in evaluation.
BACKENDS = dict(cuda="triton", cpu="eager")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=BACKENDS, default="cuda")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=["hrnet", "mobilenetv2"])
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=["bfloat16"])
    parser.add_argument(
        "--batch", type=at_least_one, default=64, help="images at the sites (%(default)s)"
    )
    parser.add_argument(
        "--jobs", type=at_least_one, default=os.cpu_count(), help="processes (%(default)s)"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run every site once."""
    args = parse_args(argv)
    init_default_scope("mmpose")
    rows = [row.name for row in ROWS if row.name.endswith(BACKENDS[args.device])]
    cases = [case for name in args.cases for case in CASES[name](args.batch)]
    failures = []
    with Progress(console=console()) as progress, _executor(args.jobs) as executor:
        jobs = {
            executor.submit(compile_site, row, case, dtype, args.device): f"{row}, {case}, {dtype}"
            for case in cases
            for dtype in args.dtypes
            for row in rows
        }
        for job in progress.track(as_completed(jobs), len(jobs), description="compiling"):
            if error := job.exception():
                failures.append(f"{jobs[job]}: {type(error).__name__}: {error}")
    print(f"{len(jobs) - len(failures)} of {len(jobs)} compiled")
    if failures:
        sys.exit("\n".join(failures))


def compile_site(name: str, case: Case, dtype: str, device: str) -> None:
    """Run a row of benchmarks/op.py on a map: in evaluation, in training and backward."""
    row = next(row for row in ROWS if row.name == name)
    x, grad = inputs(case, DTYPES[dtype], device)
    outcome(row.build(x.shape[1]).to(device), x, grad)


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
