"""Times whole pose models with DyReLU beside their ReLU twins: training steps and inference.

    python benchmarks/model.py
    python benchmarks/model.py --models 'mobilenetv2-x05 96x64'

Writes results/bench/model_cpu.csv (gpu/model_cuda.csv on a GPU). The models are
configs/dyrelu_NAME.py with each way to compute its layers, and configs/baselines/NAME.py. No
variant is timed unless its heatmaps, in training and in evaluation, and the gradient of its weights
agree with those of backend='reference' in float64; the exit status is 1 if one was refused.

NAME HxW is a config and its input. All variants take turns in one process, in channels_last, on one
thread on a CPU. A training step is
the forward pass of a batch of random images, the mean squared error to random heatmaps, the
backward pass, and Adam. Inference is the forward pass in evaluation mode without gradients. On a
GPU both run under bfloat16 autocast; inference is replayed from a CUDA graph, and the training step
is timed as it is called and, in rows of their own, from a graph. Columns that need a word:

    times_relu        its time over that of the ReLU twin
    processor_ms      what the process computed meanwhile, which other processes disturb less
    host_ms           on a GPU: until a step returns, while the GPU has nothing to do
    peak_bytes        highest allocation above what was there before: parameters, statistics of
                      Adam, inputs; PyTorch's allocator only, see measure.py
    peak_times_relu   that over the ReLU twin's
    kept_bytes        kept for the backward pass; not parameters
    first_call_s      seconds of its first passes, compilation included where nothing was cached
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import torch
from cases import NETWORKS, Network
from device import graphed, host_ms
from measure import peak_bytes
from mmengine.registry import init_default_scope
from records import console, origin_on, write
from rich.progress import Progress
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F
from variants import (
    REFERENCE,
    RELU,
    Variant,
    build,
    heatmaps,
    training_step,
    variants,
)

from dyrelu_pose.complexity.activations import kept_bytes
from dyrelu_pose.complexity.timing import percentiles_by_clock, time_in_turns, wall_and_processor
from dyrelu_pose.config.arguments import at_least_one

OUT = Path(__file__).parents[1] / "results/bench"
KEY = ("case", "row", "what", "batch", "dtype")
SEED = 0
JUDGED = 2  # images
# Largest error relative to the largest value; of the gradient, in the Euclidean norm. Rounding
# decides between branches that nearly tie, and a deep model makes much of it: in float32 the
# reference itself is off by 0.035 on MobileNetV2. benchmarks/op.py checks gradients closely.
TOLERANCES = {"heatmaps in evaluation": 1e-4, "heatmaps in training": 1e-2, "gradient": 1e-1}


class Subject(NamedTuple):
    """A variant that may be timed."""

    variant: Variant
    model: nn.Module
    first_call_s: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--device", choices=("cpu", "cuda"), help="the GPU, if there is one")
    parser.add_argument(
        "--batch", type=at_least_one, help="images of a step (8 or 32; on a GPU 64)"
    )
    parser.add_argument("--variants", nargs="+", default=["*"], help="patterns, beside ReLU")
    parser.add_argument("--repeats", type=at_least_one, default=5, help="of each (%(default)s)")
    parser.add_argument("--threads", type=at_least_one, default=1, help="on a CPU (%(default)s)")
    parser.add_argument("--out", type=Path, help=f"CSV file to write (in {OUT.name}/)")
    args = parser.parse_args(argv)
    args.device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    gpu = args.device == "cuda"
    args.batch = args.batch or (64 if gpu else None)
    args.out = args.out or OUT / ("gpu" if gpu else "") / f"model_{args.device}.csv"
    return args


def main() -> None:
    """Time the models one after the other, and write each down when it is done."""
    args = parse_args()
    init_default_scope("mmpose")
    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    refusals = []
    chosen = [
        variant
        for variant in variants(args.device)
        if variant is RELU or any(fnmatchcase(variant.name, p) for p in args.variants)
    ]
    with Progress(console=console()) as progress:
        steps = len(chosen) + (4 if args.device == "cuda" else 3) * args.repeats
        task = progress.add_task("timing", total=steps * len(args.models))
        for name in args.models:
            progress.update(task, description=name)
            found, refused = measure(NETWORKS[name], chosen, args, lambda: progress.advance(task))
            progress.console.print(table(name, found))
            write(args.out, found, KEY)
            refusals += [f"{name}: {reason}" for reason in refused]
    print(args.out)
    if refusals:
        sys.exit("\n".join(["refused, not timed:", *refusals]))


def measure(
    network: Network,
    variants: Sequence[Variant],
    args: argparse.Namespace,
    tick: Callable[[], object] = lambda: None,
) -> tuple[list[dict], list[str]]:
    """Judge the variants of a model, then time those that are right.

    Args:
        network: One of `NETWORKS`.
        variants: What to time, the ReLU twin first.
        args: `device`, `batch` and `repeats`.
        tick: Called once per variant and `3 * repeats` times more, on a GPU `4 * repeats`.

    Returns:
        A record per variant and per what was timed; and a sentence on each that was refused.
    """
    images, target = inputs(network, args.batch or network.batch, args.device)
    few = images[:JUDGED], target[:JUDGED]
    reference = build(network.config, REFERENCE, SEED)
    state = {key: value.clone() for key, value in reference.state_dict().items()}
    expected = outcome(reference.to(args.device, torch.float64), *(t.double() for t in few))
    del reference
    subjects, refusals = [], []
    for variant in variants:
        model = build(network.config, variant, SEED)
        if variant.backend:
            model.load_state_dict(state)
        start = time.perf_counter()
        found = outcome(model.to(args.device), *few)
        subject = Subject(variant, model, time.perf_counter() - start)
        wrong = variant.backend and disagreement(found, expected)
        if wrong:
            refusals.append(f"{variant.name}: {wrong}")
        else:
            subjects.append(subject)
        tick()
    half = args.device == "cuda"
    place = dict(
        case=str(network),
        input="x".join(map(str, images.shape[1:])),
        dtype="bfloat16 autocast" if half else "float32",
        memory_format="channels_last",
    )
    records = train(subjects, images, target, half, args.repeats, tick)
    for batch in dict.fromkeys((1, len(images))):
        records += infer(subjects, images[:batch], half, args.repeats, tick)
    source = origin_on(args.device, SEED)
    return [place | record | source for record in records], refusals


def inputs(network: Network, batch: int, device: str) -> tuple[Tensor, Tensor]:
    """Return random images (N, 3, H, W), and heatmaps (N, 17, H / 4, W / 4)."""
    width, height = network.size
    generator = torch.Generator().manual_seed(SEED)
    images = torch.randn(batch, 3, height, width, generator=generator)
    target = torch.rand(batch, 17, height // 4, width // 4, generator=generator)
    return images.to(device, memory_format=torch.channels_last), target.to(device)


def outcome(model: nn.Module, images: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Return the heatmaps in evaluation and in training, and the gradient of all weights."""
    with torch.backends.cudnn.flags(allow_tf32=False):
        model.eval()
        with torch.no_grad():
            evaluated = heatmaps(model, images)
        model.train()
        trained = heatmaps(model, images)
        gradients = torch.autograd.grad(F.mse_loss(trained, target), list(model.parameters()))
    return {
        "heatmaps in evaluation": evaluated,
        "heatmaps in training": trained.detach(),
        "gradient": torch.cat([gradient.flatten() for gradient in gradients]),
    }


def disagreement(found: dict[str, Tensor], expected: dict[str, Tensor]) -> str | None:
    """Say in a sentence which result is too far from the reference, None if none is."""
    for name, tolerance in TOLERANCES.items():
        norm = 2 if name == "gradient" else float("inf")
        difference = (found[name].double() - expected[name]).flatten()
        error = (difference.norm(norm) / expected[name].flatten().norm(norm)).item()
        if not error <= tolerance:  # not a number is wrong, too
            return f"{name} is off by {error:.2g}, {tolerance:g} is allowed"
    return None


def train(
    subjects: Sequence[Subject],
    images: Tensor,
    target: Tensor,
    half: bool,
    repeats: int,
    tick: Callable,
) -> list[dict]:
    """Time training steps."""
    calls = {}
    for variant, model, _ in subjects:
        model.train()
        on_gpu = dict(fused=True, capturable=True) if images.is_cuda else {}
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **on_gpu)
        calls[variant.name] = lambda model=model, optimizer=optimizer: training_step(
            model, optimizer, images, target, half
        )
    records = summaries("training step", subjects, calls, images, repeats, tick)
    peaks = {name: peak_bytes(call) for name, call in calls.items()}
    for (variant, model, _), record in zip(subjects, records, strict=True):
        record["kept_bytes"] = kept_bytes(
            lambda model=model: heatmaps(model, images, half), model.parameters()
        )
        record["peak_bytes"] = peaks[variant.name]
        record["peak_times_relu"] = peaks[variant.name] / peaks[RELU.name]
        if images.is_cuda:
            record["host_ms"] = host_ms(calls[variant.name])
    if images.is_cuda:
        replays = {name: graphed(call) for name, call in calls.items()}
        what = "training step from a graph"
        records += summaries(what, subjects, replays, images, repeats, tick)
    return records


def infer(
    subjects: Sequence[Subject], images: Tensor, half: bool, repeats: int, tick: Callable
) -> list[dict]:
    """Time the forward pass in evaluation mode."""

    def call(model: nn.Module) -> Tensor:
        with torch.no_grad():
            return heatmaps(model, images, half)

    calls = {}
    for variant, model, _ in subjects:
        model.eval()
        calls[variant.name] = lambda model=model: call(model)
        if images.is_cuda:
            calls[variant.name] = graphed(calls[variant.name])
    return summaries("inference", subjects, calls, images, repeats, tick)


def summaries(
    what: str,
    subjects: Sequence[Subject],
    calls: dict[str, Callable[[], object]],
    images: Tensor,
    repeats: int,
    tick: Callable,
) -> list[dict]:
    """Time calls in turns and return the measured columns of each.

    Args:
        what: Name of what the calls do.
        subjects: Variants.
        calls: What to time, by the variants' names.
        images: Input.
        repeats: Measurements of each.
        tick: Called once per repeat.
    """
    seconds = time_in_turns(calls, repeats, SEED, tick, wall_and_processor)
    wall, processor = percentiles_by_clock(seconds)
    relu, of_relu = (times[RELU.name]["median_ms"] for times in (wall, processor))
    return [
        dict(
            row=variant.name,
            what=what,
            batch=len(images),
            **wall[variant.name],
            times_relu=wall[variant.name]["median_ms"] / relu,
            processor_ms=processor[variant.name]["median_ms"],
            processor_times_relu=processor[variant.name]["median_ms"] / of_relu,
            host_ms="",
            kept_bytes="",
            peak_bytes="",
            peak_times_relu="",
            parameters=sum(p.numel() for p in model.parameters()),
            first_call_s=first_call_s,
            repeats=repeats,
        )
        for variant, model, first_call_s in subjects
    ]


def table(title: str, records: Sequence[dict]) -> Table:
    """Return what a person reads of the records of one model."""
    result = Table(title=title)
    for name in ("row", "what"):
        result.add_column(name)
    for name in ("batch", "ms", "20-80 %", "x ReLU", "processor", "peak MiB", "x ReLU", "kept MiB"):
        result.add_column(name, justify="right")
    for r in records:
        memory = [""] * 3
        if r["what"] == "training step":
            peak, kept = (f"{r[key] / 2**20:.0f}" for key in ("peak_bytes", "kept_bytes"))
            memory = [peak, f"{r['peak_times_relu']:.2f}", kept]
        result.add_row(
            r["row"],
            r["what"],
            str(r["batch"]),
            f"{r['median_ms']:.4g}",
            f"{r['p20_ms']:.4g}-{r['p80_ms']:.4g}",
            f"{r['times_relu']:.2f}",
            f"{r['processor_times_relu']:.2f}",
            *memory,
        )
    return result


if __name__ == "__main__":
    main()
