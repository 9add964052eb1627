"""Times a training step of every cell of a grid, beside each other.

    python benchmarks/steps.py configs/ablations/study_resnet18.py
    python benchmarks/steps.py configs/ablations/study_resnet18.py --cells C --fuse-norm
    python benchmarks/steps.py configs/ablations/study_resnet18.py --device cuda

Writes results/bench/steps.csv (gpu/steps_cuda.csv on a GPU): what the rows of an ablation cost in
time where nothing else runs. Each cell takes turns with the grid's baseline alone, some steps in a
row: what many networks leave in caches and allocator slows one down more than another. In
channels_last and float32, on one thread of a CPU; on a GPU replayed from a CUDA graph, as
`tools/ablate.py --cuda-graph` trains. A step is the forward pass of as many random images as the
config trains with, the mean squared error to random heatmaps, the backward pass, and the config's
optimizer. Columns that need a word:

    times_baseline    its time over that of the grid's baseline
    processor_ms      what the process computed meanwhile, which other processes disturb less
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from device import graphed
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from records import console, origin_on, write
from rich.progress import Progress
from rich.table import Table
from torch import nn
from variants import heatmaps, training_step

from dyrelu_pose.ablation.configs import resolve
from dyrelu_pose.ablation.grid import Grid, load_grid
from dyrelu_pose.complexity.timing import percentiles_by_clock, time_in_turns, wall_and_processor
from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.engine.cuda_graph.optimizer import make_capturable
from dyrelu_pose.models.input_size import input_size_of

OUT = Path(__file__).parents[1] / "results/bench"
FILES = dict(cpu="steps.csv", cuda="gpu/steps_cuda.csv")
KEY = ("grid", "cell")
SEED = 0
IN_A_ROW = 6  # steps


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("grid", help="Python file that describes the grid, as for tools/ablate.py")
    parser.add_argument("--base", help="config to take instead of the grid's")
    parser.add_argument("--cells", nargs="+", metavar="NAME", help="beside the baseline (all)")
    parser.add_argument(
        "--fuse-norm",
        action="store_true",
        help="let DyReLU compute the norms in front of it; its rows are named 'CELL, fuse_norm'",
    )
    parser.add_argument("--repeats", type=at_least_one, default=7, help="of each (%(default)s)")
    parser.add_argument("--device", choices=FILES, default="cpu", help="(%(default)s)")
    parser.add_argument("--out", type=Path, help=f"CSV file to write (in {OUT.name}/)")
    args = parser.parse_args(argv)
    args.out = args.out or OUT / FILES[args.device]
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Time the cells and write a row for each."""
    args = parse_args(argv)
    init_default_scope("mmpose")
    torch.set_num_threads(1)
    grid = load_grid(args.grid, args.base)
    names = [name for name in args.cells or grid.cells if name != grid.baseline]
    records = []
    with Progress(console=console()) as progress:
        task = progress.add_task(grid.name, total=args.repeats * len(names))
        for name in names:
            pair = measure(
                grid,
                (grid.baseline, name),
                args.repeats,
                lambda: progress.advance(task),
                args.device,
                args.fuse_norm,
            )
            records += pair[1:] if records else pair
            write(args.out, records, KEY)
    console().print(table(grid, records))
    print(args.out)


def measure(
    grid: Grid,
    names: Sequence[str],
    repeats: int,
    tick: Callable[[], object] = lambda: None,
    device: str = "cpu",
    fuse_norm: bool = False,
) -> list[dict]:
    """Return a record per cell.

    Args:
        grid: The grid.
        names: Names of its cells, the baseline first.
        repeats: Measurements of each.
        tick: Called once per repeat.
        device: A key of `FILES`.
        fuse_norm: Whether rules get `fuse_norm=True`.
    """
    configs = {}
    for name in names:
        cfg = resolve(grid.cells[name], SEED)
        rules = cfg.model.get("dyrelu", ()) if fuse_norm else ()
        for rule in rules:
            rule.fuse_norm = True
        configs[f"{name}, fuse_norm" if rules else name] = cfg
    models = {name: build(cfg).to(device) for name, cfg in configs.items()}
    steps = {name: step(models[name], cfg) for name, cfg in configs.items()}
    seconds = time_in_turns(steps, repeats, SEED, tick, wall_and_processor)
    wall, processor = percentiles_by_clock(seconds, IN_A_ROW)
    first, of_first = (times[grid.baseline]["median_ms"] for times in (wall, processor))
    return [
        dict(
            grid=grid.name,
            cell=name,
            input="{1}x{0}".format(*input_size_of(cfg)),
            batch=cfg.train_dataloader.batch_size,
            parameters=sum(p.numel() for p in models[name].parameters()),
            **wall[name],
            times_baseline=wall[name]["median_ms"] / first,
            processor_ms=processor[name]["median_ms"],
            processor_times_baseline=processor[name]["median_ms"] / of_first,
            repeats=repeats,
            in_a_row=IN_A_ROW,
            **origin_on(device, SEED),
        )
        for name, cfg in configs.items()
    ]


def build(cfg: Config) -> nn.Module:
    """Build the model of a config with random weights, for training in channels_last."""
    torch.manual_seed(SEED)
    cfg.model.backbone.init_cfg = None
    model = MODELS.build(cfg.model).to(memory_format=torch.channels_last)
    model.train()  # a statement: the train() of MMPose's models may return None
    return model


def step(model: nn.Module, cfg: Config) -> Callable[[], None]:
    """Return what updates the weights of a model, `IN_A_ROW` times."""
    width, height = input_size_of(cfg)
    device = next(model.parameters()).device
    images = torch.randn(cfg.train_dataloader.batch_size, 3, height, width, device=device)
    images = images.to(memory_format=torch.channels_last)
    with torch.no_grad():
        target = torch.rand_like(heatmaps(model, images))
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer

    def steps() -> None:
        for _ in range(IN_A_ROW):
            training_step(model, optimizer, images, target, half=False)

    if device.type == "cpu":
        return steps
    make_capturable(optimizer)
    return graphed(steps)


def table(grid: Grid, records: Sequence[dict]) -> Table:
    """Return what a person reads of the records."""
    result = Table(title=grid.name)
    result.add_column("cell")
    for name in ("parameters", "ms", "20-80 %", f"x {grid.baseline}", "processor"):
        result.add_column(name, justify="right")
    for r in records:
        result.add_row(
            r["cell"],
            f"{r['parameters'] / 1e6:.2f}M",
            f"{r['median_ms']:.4g}",
            f"{r['p20_ms']:.4g}-{r['p80_ms']:.4g}",
            f"{r['times_baseline']:.2f}",
            f"{r['processor_times_baseline']:.2f}",
        )
    return result


if __name__ == "__main__":
    main()
