"""Exports pose models to ONNX and times the files beside those of their ReLU twins, on one image.

    DYRELU_DATA=/path/to/data python benchmarks/deployed.py

Writes results/bench/onnx_cpu.csv. The published model has its weights, and an int8 version too; the
others random ones, on which time does not depend: hyper functions that follow the image
(init='default'), and batch normalisations that have seen the persons of the comparison, so that
numbers stay of size 1 through the layers. Every file is also compared with PyTorch on persons of
COCO-mini's validation set; the exit status is 1 if a float32 file is off by more than 0.001 of the
largest value. All files of a model take turns.
"""

import argparse
import copy
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from records import console, origin_on, write
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.export import files
from dyrelu_pose.export.network import Network, Normalize
from dyrelu_pose.export.quantize import quantize
from dyrelu_pose.inference.inputs import stack_inputs
from dyrelu_pose.inference.load import load_trained
from dyrelu_pose.models.input_size import input_size_of

ROOT = Path(__file__).parents[1]
OUT = ROOT / "results/bench/onnx_cpu.csv"
PUBLISHED = "mobilenetv2_128x96_lspet"
MODELS_TIMED = (PUBLISHED, "mobilenetv2_256x192", "hrnet_256x192")  # of configs/coco_mini
KEY = ("model", "row")
SEED, OPSET = 0, 18
JUDGED, CALIBRATED = 8, 200  # persons


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--models", nargs="+", choices=MODELS_TIMED, default=MODELS_TIMED, help="(%(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=30, help="of each (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file to write (%(default)s)")
    return parser.parse_args(argv)


def main() -> None:
    """Export, compare and time one model after the other."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope("mmpose")
    refused = False
    for name in args.models:
        with tempfile.TemporaryDirectory() as folder:
            records = measure(name, Path(folder), args)
        write(args.out, records, KEY)
        console().print(table(name, records))
        refused |= any(record["error"] > files.TOLERANCE for record in records[:2])
    print(args.out)
    if refused:
        sys.exit("a file does not compute what PyTorch does")


def measure(name: str, folder: Path, args: argparse.Namespace) -> list[dict]:
    """Return a record per file of a model: of its ReLU twin's, of DyReLU's, and of an int8 one."""
    cfg = Config.fromfile(ROOT / f"configs/coco_mini/dyrelu_{name}.py")
    pixels = stack_inputs(cfg, (), JUDGED).float()
    sessions, records = {}, []

    def add(row: str, file: files.OnnxFile, path: Path, network: Network, weights: str) -> None:
        sessions[row] = file
        records.append(
            dict(
                model=name,
                row=row,
                input="x".join(map(str, images.shape[1:])),
                weights=weights,
                persons=len(images),
                error=max(files.errors(file, network, images).values()),
                operators=files.operators(path).total(),
                megabytes=path.stat().st_size / 1e6,
            )
        )

    for row in track(("ReLU", "DyReLU"), name, console=console(), transient=True):
        network, images, weights = build(cfg, name, row, pixels)
        path = folder / f"{row}.onnx"
        files.write(path, network, input_size_of(cfg), None, OPSET)
        add(row, files.OnnxFile(path, args.threads), path, network, weights)
    if name == PUBLISHED:
        path = folder / "int8.onnx"
        calibration = stack_inputs(cfg, (), CALIBRATED, training=True).float()
        calibration = Normalize(network.model.data_preprocessor)(calibration)
        quantize(folder / "DyReLU.onnx", path, calibration)
        add("DyReLU, int8", files.OnnxFile(path, args.threads), path, network, weights)
    image = images[:1].numpy()
    calls = {row: lambda file=file: file.run(image) for row, file in sessions.items()}
    times = {
        row: percentiles(found) for row, found in time_in_turns(calls, args.repeats, SEED).items()
    }
    relu = times["ReLU"]["median_ms"]
    source = origin_on("cpu", SEED, "onnx", "onnxruntime", "onnxscript")
    return [
        record
        | times[record["row"]]
        | dict(times_relu=times[record["row"]]["median_ms"] / relu, repeats=args.repeats)
        | source
        for record in records
    ]


def build(cfg: Config, name: str, row: str, pixels: Tensor) -> tuple[Network, Tensor, str]:
    """Return a model as it is exported, its input, and whose weights it has."""
    cfg = copy.deepcopy(cfg)
    checkpoint = f"checkpoints/dyrelu_{name}.pth"
    if row == "DyReLU" and name == PUBLISHED:
        model, weights = load_trained(cfg, ROOT / checkpoint), checkpoint
    else:
        for rule in cfg.model.dyrelu:
            rule.act.init = "default"
        if row == "ReLU":
            cfg.model.dyrelu = []
        torch.manual_seed(SEED)
        model, weights = MODELS.build(cfg.model), "random"
    images = Normalize(model.data_preprocessor)(pixels)
    if weights == "random":
        see(model, images)
    model.eval()
    return Network(model).eval(), images, weights


def see(model: nn.Module, images: Tensor) -> None:
    """Give batch normalisations the statistics of images."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # those of the last batch alone
    model.train()
    with torch.no_grad():
        model(images, None, mode="tensor")


def table(title: str, records: Sequence[dict]) -> Table:
    """Return what a person reads of the records of one model."""
    result = Table(title=title)
    for name in ("file", "error", "operators", "MB", "ms", "20-80 %", "x ReLU"):
        result.add_column(name, justify="left" if name == "file" else "right")
    for r in records:
        result.add_row(
            r["row"],
            f"{r['error']:.1e}",
            str(r["operators"]),
            f"{r['megabytes']:.1f}",
            f"{r['median_ms']:.3g}",
            f"{r['p20_ms']:.3g}-{r['p80_ms']:.3g}",
            f"{r['times_relu']:.2f}",
        )
    return result


if __name__ == "__main__":
    main()
