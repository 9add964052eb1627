"""Times training steps under MMEngine's `compile=True` beside those without it.

    python benchmarks/compiled.py

Writes results/bench/compiled_cpu.csv (gpu/compiled_cuda.csv on a GPU). The models are the demo's
with ReLU and with DyReLU; `train_step` is compiled as MMEngine does it. All take turns in one
process, on one thread on a CPU. A row that fails holds the reason in `outcome`, which is 'ok'
otherwise.

    times_eager   its time over that of the same model without compile
    loss_error    largest relative difference of the losses of the first three steps to those
    first_call_s  seconds of these steps, compilation included
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from cases import CONFIGS
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from records import console, origin_on, write
from rich.progress import Progress

from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.config.arguments import at_least_one

OUT = Path(__file__).parents[1] / "results/bench"
KEY = ("row", "batch")
SEED, STEPS = 0, 3
MODELS_BY_NAME = {"ReLU": ("resnet18", None), "DyReLU": ("dyrelu_resnet18", "eager")}


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), help="the GPU, if there is one")
    parser.add_argument(
        "--batch", type=at_least_one, default=8, help="images of a step (%(default)s)"
    )
    parser.add_argument("--repeats", type=at_least_one, default=5, help="of each (%(default)s)")
    parser.add_argument("--out", type=Path, help=f"CSV file to write (in {OUT.name}/)")
    args = parser.parse_args(argv)
    args.device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    gpu = args.device == "cuda"
    args.out = args.out or OUT / ("gpu" if gpu else "") / f"compiled_{args.device}.csv"
    return args


def main(argv: Sequence[str] | None = None) -> None:
    """Time the steps and write them down."""
    args = parse_args(argv)
    init_default_scope("mmpose")
    torch.set_num_threads(1)
    rows, calls, losses = {}, {}, {}
    with Progress(console=console()) as progress:
        steps = 2 * len(MODELS_BY_NAME)
        task = progress.add_task("compiling", total=steps + args.repeats)
        for name in MODELS_BY_NAME:
            for compiled in (False, True):
                row = f"{name}, compile" if compiled else name
                call = training_step(name, compiled, args)
                start = time.perf_counter()
                try:
                    losses[row] = torch.stack([call() for _ in range(STEPS)])
                    rows[row] = dict(outcome="ok")
                    calls[row] = call
                except Exception as error:
                    rows[row] = dict(outcome=f"{type(error).__name__}: {error}".partition("\n")[0])
                rows[row]["first_call_s"] = time.perf_counter() - start
                progress.advance(task)
        seconds = time_in_turns(calls, args.repeats, SEED, lambda: progress.advance(task))
    records = []
    for row, found in rows.items():
        measured = dict(median_ms="", p20_ms="", p80_ms="", times_eager="", loss_error="")
        if row in calls:
            eager = row.removesuffix(", compile")
            measured.update(percentiles(seconds[row]))
            measured["times_eager"] = (
                measured["median_ms"] / percentiles(seconds[eager])["median_ms"]
            )
            measured["loss_error"] = (losses[row] / losses[eager] - 1).abs().max().item()
        place = dict(row=row, batch=args.batch)
        records.append(place | measured | found | origin_on(args.device, SEED))
    write(args.out, records, KEY)
    print(args.out)


def training_step(name: str, compiled: bool, args: argparse.Namespace):
    """Return a call that makes a step of a seeded model and returns its loss."""
    config, backend = MODELS_BY_NAME[name]
    cfg = Config.fromfile(CONFIGS / f"demo/{config}.py").model
    for rule in cfg.get("dyrelu", ()):
        rule.act.update(backend=backend)
    torch.manual_seed(SEED)
    model = MODELS.build(cfg).to(args.device).train()
    wrapper = OptimWrapper(torch.optim.Adam(model.parameters(), lr=1e-3))
    step = torch.compile(model.train_step) if compiled else model.train_step
    batch = people(args.batch)
    return lambda: step(batch, wrapper)["loss"].detach()


def people(number: int) -> dict:
    """Return a random batch as a data loader gives it: 128x96, heatmaps 32x24."""
    generator = torch.Generator().manual_seed(SEED)
    samples = []
    for _ in range(number):
        sample = PoseDataSample()
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 32, 24, generator=generator))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 17))
        samples.append(sample)
    images = torch.randint(256, (number, 3, 128, 96), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(images), data_samples=samples)


if __name__ == "__main__":
    main()
