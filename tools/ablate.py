"""Run an ablation: `python tools/ablate.py GRID`, with GRID one of configs/ablations/.

    python tools/ablate.py configs/ablations/k.py --seeds 0 1 2 --gpus 0 1
    python tools/ablate.py configs/ablations/matrix.py --dry-run
    python tools/ablate.py configs/ablations/matrix.py --cells 'B+*' --base configs/dyrelu_hrnet.py

Every cell of the grid is trained from every seed by tools/train.py, and evaluated after its last
epoch. What has finished is kept: after Ctrl-C, a crash or a power cut the same command goes on,
inside a run from its last checkpoint. A run whose config has changed since counts as another run.
After each run these are written again in --out (results/ablations/NAME):

    runs/       a record per run with its learning curve; a new clone that has them goes on as well
    configs/    the whole config of each cell
    runs.csv    a row per run: AP, AP50, AP75, AR (0 to 1), params, MAdds, seconds, versions, ...
    table.md    means over seeds, standard deviations, differences to the baseline
    chart.png   the same as a chart
    curves.png  learning curves: means over seeds, and the band of the seeds

With another --out, what is recorded in results/ablations/NAME is printed below the table.

A run that fails is reported and the rest goes on; the exit status is then 1.

On several machines, start one of these per machine on a shared disk, each with its own --cells:
each takes its runs for itself, and all write the same table from what has finished. With slurm:

    srun -N1 --gres=gpu:4 python tools/ablate.py GRID --gpus 0 1 2 3 --cells 'A+*' &
    srun -N1 --gres=gpu:4 python tools/ablate.py GRID --gpus 0 1 2 3 --cells 'B+*' &

For one run on several GPUs see tools/dist_train.sh; for how to write a grid,
dyrelu_pose/ablation/grid.py.
"""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from mmengine.config import Config
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.progress import track as rich_track
from rich.table import Table

from dyrelu_pose.ablation.chart import draw_chart
from dyrelu_pose.ablation.configs import data_name, portable, resolve
from dyrelu_pose.ablation.curves import draw_curves
from dyrelu_pose.ablation.grid import Grid, load_grid
from dyrelu_pose.ablation.plan import (
    CellPlan,
    check_distinct,
    count_iterations,
    plan_cell,
    time_iteration,
)
from dyrelu_pose.ablation.results import COLUMNS, FINISHED, recorded_rows, rows_of
from dyrelu_pose.ablation.runs import RECORDS, Run, commands
from dyrelu_pose.ablation.schedule import Commands, run_all
from dyrelu_pose.ablation.table import format_record, format_table
from dyrelu_pose.config.arguments import add_cfg_options, at_least_one, at_least_zero
from dyrelu_pose.config.check import check_run
from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.files import MissingFilesError, check_files
from dyrelu_pose.engine.cuda_graph import check_gpu
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.records.files import check_output_folder, write_csv, write_text
from dyrelu_pose.records.origin import origin

TOOLS = Path(__file__).parent
SPLITS = ("train", "val")  # that a run reads
LOOK = 1.0  # seconds between two looks at how far the runs are

console = Console(stderr=True)


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", help="grid, such as configs/ablations/matrix.py")
    parser.add_argument("--seeds", type=at_least_zero, nargs="+", default=[0], help="seeds (0)")
    parser.add_argument(
        "--jobs", type=at_least_one, help="runs at a time on the CPU, one thread each (1)"
    )
    parser.add_argument(
        "--gpus",
        nargs="+",
        metavar="GPU",
        help="GPUs, one run at a time on each; 0 0 0 for three at a time on GPU 0",
    )
    parser.add_argument(
        "--cuda-graph", action="store_true", help="as of tools/train.py, in every run"
    )
    parser.add_argument("--cells", nargs="+", metavar="PATTERN", help="cells to run, as in 'B+*'")
    parser.add_argument("--base", help="config to change instead of the grid's base")
    parser.add_argument(
        "--work-dir", type=Path, help="work directory of all runs (work_dirs/ablations/NAME)"
    )
    parser.add_argument("--out", type=Path, help="folder of the results (results/ablations/NAME)")
    parser.add_argument(
        "--dry-run", action="store_true", help="print the plan and an estimate of the time"
    )
    add_cfg_options(parser, "override entries in every cell, such as train_cfg.max_epochs=10")
    parser.set_defaults(cfg_options={})
    args = parser.parse_args(argv)
    if args.jobs and args.gpus:
        parser.error("--gpus says how many runs there are at a time: leave --jobs out")
    return args


class Ablation:
    """A grid, its runs, and where they go.

    Attributes:
        grid: The grid.
        runs: All its runs: every cell from every seed that is asked for, or was run before.
        chosen: Those that the command line asks for.
        plans: What each cell is, by name; only of chosen ones.
        failures: What went wrong, by name of the run.
        recorded: Folder of the results that the grid's name stands for.
        out: Folder of these results.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.grid = load_grid(args.grid, args.base)
        self.work_dir = args.work_dir or Path("work_dirs/ablations", self.grid.name)
        check_output_folder(self.work_dir)
        self.recorded = Path("results/ablations", self.grid.name)
        self.out = args.out or self.recorded
        self.options = args.cfg_options
        names = chosen_cells(self.grid, args.cells)
        seeds = list(dict.fromkeys(args.seeds))
        self.runs = [
            self._run(name, seed)
            for name in self.grid.cells
            for seed in sorted({*seeds, *self._seeds_before(name)})
        ]
        self.chosen = [run for run in self.runs if run.cell in names and run.seed in seeds]
        first = {name: self._run(name, seeds[0]) for name in self.grid.cells}
        check_distinct({name: run.digest for name, run in first.items()})
        self.plans = {
            name: plan_cell(self.grid.cells[name], first[name].cfg)
            for name in rich_track(names, "checking cells", console=console, transient=True)
        }
        self.failures: dict[str, str] = {}

    @property
    def pending(self) -> list[Run]:
        """The chosen runs that have not finished."""
        return [run for run in self.chosen if run.record() is None]

    def _run(self, name: str, seed: int) -> Run:
        cfg = resolve(self.grid.cells[name], seed, self.options)
        return Run(name, seed, cfg, self.work_dir, self.out)

    def _seeds_before(self, name: str) -> set[int]:
        folders = (self.work_dir / name).glob("seed*-*")
        records = (self.out / RECORDS).glob(f"{name}-seed*.json")
        seeds = {path.name.partition("-")[0] for path in folders}
        seeds |= {path.stem.rpartition("-")[2] for path in records}
        return {int(seed.removeprefix("seed")) for seed in seeds}

    def end(self, run: Run, problem: str) -> None:
        """Keep what a run came to, and write the results anew."""
        metrics = None if problem else run.metrics()
        if metrics is None:
            self.failures[run.name] = problem or "no AP after the last epoch"
            console.print(f"[red]failed[/] {run.name}: {self.failures[run.name]}, see {run.log}")
            console.print(run.tail(), markup=False, highlight=False, style="dim")
        else:
            self.failures.pop(run.name, None)
            run.keep(self._record(run, metrics))
            minutes = run.spent() / 60
            console.print(f"{run.name}: AP {100 * metrics['AP']:.1f} in {minutes:.1f} min")
        self.write()

    def _record(self, run: Run, metrics: dict[str, float]) -> dict[str, object]:
        complexity = self.plans[run.cell].complexity
        return dict(
            cell=run.cell,
            seed=run.seed,
            data=data_name(run.cfg),
            **metrics,
            loss=run.training_loss(),
            params=complexity.params,
            MAdds=complexity.madds,
            epochs=run.length,
            seconds=round(run.spent(), 1),
            **run.pace(),
            status=FINISHED,
            **origin(),
        )

    def write(self) -> None:
        """Write the table, the CSV file and, once a run has finished, the chart."""
        rows = rows_of(self.runs, self.failures)
        table = format_table(self.grid, rows)
        write_csv(self.out / "runs.csv", rows, COLUMNS)
        write_text(self.out / "table.md", table)
        records = {run: record for run in self.runs if (record := run.record())}
        for name, cfg in {run.cell: run.cfg for run in records}.items():
            write_text(self.out / "configs" / f"{name}.py", portable(cfg.pretty_text))
        if records:
            draw_chart(self.grid, rows, self.out / "chart.png")
            draw_curves(self.grid, list(records.values()), self.out / "curves.png")


def chosen_cells(grid: Grid, patterns: Sequence[str] | None) -> list[str]:
    """Return the names of the cells that match any of the patterns, all if there are none.

    Raises:
        UserError: A pattern matches none.
    """
    for pattern in patterns or ():
        if not any(fnmatchcase(name, pattern) for name in grid.cells):
            raise UserError(f"--cells {pattern}: no such cell; there are {', '.join(grid.cells)}")
    return [
        name
        for name in grid.cells
        if patterns is None or any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


def slots_of(args: argparse.Namespace) -> list[dict[str, str]]:
    """Return the environments of the runs that go on side by side.

    Raises:
        UserError: There is no such GPU.
    """
    if args.gpus:
        count = torch.cuda.device_count()
        for gpu in args.gpus:
            if not gpu.isdigit() or int(gpu) >= count:
                raise UserError(f"--gpus {gpu}: this machine has {count} GPUs that torch can use")
        return [dict(CUDA_VISIBLE_DEVICES=gpu) for gpu in args.gpus]
    if (args.jobs or 1) == 1:
        return [{}]
    torch.set_num_threads(1)  # which is what the records then say of the runs
    return [dict(OMP_NUM_THREADS="1")] * args.jobs


def print_plan(ablation: Ablation, slots: int) -> None:
    """Print the cells, what they cost, and how long the pending runs may take."""
    table = Table(title=f"{ablation.grid.name}: {len(ablation.chosen)} runs")
    for column in ("cell", "seeds", "done", "iterations", "params", "MAdds", "layers"):
        table.add_column(column, overflow="fold")
    for name, plan in ablation.plans.items():
        table.add_row(name, *_plan_row(plan, [r for r in ablation.chosen if r.cell == name]))
    Console().print(table)
    print(f"{len(ablation.pending)} runs to do. {_estimate(ablation, slots)}")


def _plan_row(plan: CellPlan, runs: Sequence[Run]) -> tuple[str, ...]:
    seeds = " ".join(str(run.seed) for run in runs)
    done = sum(run.record() is not None for run in runs)
    try:
        check_files(runs[0].cfg, ["train"])
        iterations = str(count_iterations(runs[0].cfg))
    except MissingFilesError:
        iterations = "? (no data)"
    layers = ", ".join(f"{count} {kind}" for kind, count in plan.layers.items()) or "as it is"
    costs = (f"{figure / 1e6:.2f}M" for figure in (plan.complexity.params, plan.complexity.madds))
    return seeds, str(done), iterations, *costs, layers


def _estimate(ablation: Ablation, slots: int) -> str:
    records = [record for run in ablation.runs if (record := run.record())]
    if records:
        seconds = sum(record["seconds"] for record in records) / len(records)
        source = f"the mean of the {len(records)} finished runs"
    else:
        cfg = next(run.cfg for run in ablation.chosen)
        try:
            check_files(cfg, ["train"])
        except MissingFilesError as error:
            return f"No estimate of the time: {error}"
        seconds = time_iteration(cfg) * count_iterations(cfg)
        source = f"a few iterations of {ablation.chosen[0].cell} on this machine, no validation"
    hours = seconds * len(ablation.pending) / slots / 3600
    return f"About {hours:.2g} h, {slots} at a time, from {source}: {seconds / 60:.2g} min a run."


def check_configs(runs: Sequence[Run]) -> None:
    """Check the config of each cell, and what is in each data set once."""
    seen = set()
    for run in {run.cell: run for run in runs}.values():
        cfg = Config(dict(run.cfg, launcher="none"))  # as tools/train.py is started
        data = repr([cfg.get(f"{split}_dataloader") for split in SPLITS])
        with named_parts(cfg):
            check_run(cfg, SPLITS, contents=data not in seen)
        seen.add(data)


def run_pending(ablation: Ablation, slots: list[dict[str, str]], todo: Commands) -> None:
    """Run what has not finished, with a bar for all and a line for each that is going on."""
    pending = ablation.pending
    check_configs(pending)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("runs", total=len(pending))
        looked = 0.0

        def on_end(run: Run, problem: str) -> None:
            ablation.end(run, problem)
            progress.advance(bar)

        def on_poll(going: Sequence[Run]) -> None:
            nonlocal looked
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                shares = (f"{run.name} {100 * run.progress():.0f} %" for run in going)
                progress.update(bar, description=", ".join(shares) or "runs")

        run_all(pending, todo, slots, on_end, on_poll)


def main(argv: Sequence[str] | None = None, todo: Commands | None = None) -> int:
    """Run the ablation and return the exit status.

    Args:
        argv: Command line; the process's by default.
        todo: Yields the commands of a run; by default tools/train.py, then tools/test.py if needed.
    """
    args = parse_args(argv)
    if args.cuda_graph:
        check_gpu()
    slots = slots_of(args)
    ablation = Ablation(args)
    if args.dry_run:
        print_plan(ablation, len(slots))
        return 0
    runs, left = len(ablation.chosen), len(ablation.pending)
    before = f"{runs} runs, {runs - left} finished before; all in {ablation.work_dir}"
    console.print(before, soft_wrap=True)
    flags = ["--cuda-graph"] if args.cuda_graph else []
    try:
        run_pending(ablation, slots, todo or (lambda run: commands(run, TOOLS, flags)))
    except KeyboardInterrupt:
        left = len(ablation.pending)
        again = shlex.join(["python", *sys.argv])
        console.print(f"stopped; {left} runs are left. To go on: {again}", soft_wrap=True)
        return 130
    ablation.write()
    print(format_table(ablation.grid, rows_of(ablation.runs, ablation.failures)))
    if args.out and (rows := recorded_rows(ablation.recorded)):
        print(format_record(ablation.grid, rows))
    print(f"in {ablation.out}")
    return 1 if ablation.failures else 0


if __name__ == "__main__":
    with user_errors():
        sys.exit(main())
