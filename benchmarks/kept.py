"""What whole pose models keep for the backward pass, beside their ReLU twins.

    python benchmarks/kept.py

Writes results/bench/kept.csv. The models are configs/dyrelu_NAME.py as they are shipped, the same
with `fuse_norm=True` where the layers can do it, and configs/baselines/NAME.py. Nothing is timed or
computed: what autograd saves of one image of a batch is counted on the meta device, float32.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from cases import CONFIGS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from records import console, origin_on, write
from rich.progress import track
from variants import RELU, Variant, build

from dyrelu_pose.complexity.activations import kept_per_image
from dyrelu_pose.placement.meta_device import run_tensor_mode

OUT = Path(__file__).parents[1] / "results/bench/kept.csv"
NAMES = ("hrnet", "resnet50", "resnet18", "mobilenetv2")
VARIANTS = (RELU, Variant("DyReLU", "eager"), Variant("DyReLU, fuse_norm", "eager", True))
SEED = 0


def main(argv: Sequence[str] | None = None) -> None:
    """Count, and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=NAMES, default=NAMES, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file to write (%(default)s)")
    args = parser.parse_args(argv)
    init_default_scope("mmpose")
    out = console()
    for name in track(args.models, "counting", console=out):
        found = measure(name)
        for record in found:
            mebibytes = record["kept_bytes"] / 2**20
            out.print(f"{name}, {record['row']}: {mebibytes:.1f} MiB, {record['times_relu']:.3f}x")
        write(args.out, found, ("case", "row"))
    print(args.out)


def measure(name: str, variants: Sequence[Variant] = VARIANTS) -> list[dict]:
    """Return a record per variant of a model, the ReLU twin among them."""
    size = Config.fromfile(CONFIGS / f"baselines/{name}.py").codec.input_size
    kept = {}
    for variant in variants:
        with torch.device("meta"):
            model = build(name, variant, SEED)
            kept[variant] = kept_per_image(model, size, run_tensor_mode)
    return [
        dict(
            case=name,
            input="{1}x{0}".format(*size),
            row=variant.name,
            kept_bytes=bytes_,
            times_relu=bytes_ / kept[RELU],
            **origin_on("cpu", SEED),
        )
        for variant, bytes_ in kept.items()
    ]


if __name__ == "__main__":
    main()
