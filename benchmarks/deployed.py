"""Times pose models as they are deployed, beside their ReLU twins, on one image.

    DYRELU_DATA=/path/to/data python benchmarks/deployed.py

Writes results/bench/deployed_cpu.csv: ONNX files in ONNX Runtime and in OpenVINO, in float32 and in
8 bits, and what PyTorch itself runs, with DyReLU everywhere, at the deep sites or in the head
alone. Every file is also compared with PyTorch on persons of COCO-mini's validation set; the exit
status is 1 if a float32 file is off by more than 0.001 of the largest value. All rows of a network
that are asked for take turns, and each is divided by the twin in the same runtime.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from deployed_models import PLACEMENTS, PUBLISHED, SEED, Case, build
from mmengine.registry import init_default_scope
from records import console, origin_on, write
from rich.progress import track
from rich.table import Table
from torch import Tensor
from torch_forms import FORMS, Run, Skipped

from dyrelu_pose.complexity.timing import Call, percentiles, time_in_turns
from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.export import files
from dyrelu_pose.export.network import Network, Normalize
from dyrelu_pose.export.quantize import quantize, quantize_hyper
from dyrelu_pose.export.runtimes import RUNTIMES
from dyrelu_pose.inference.inputs import stack_inputs
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.paths import ROOT

OUT = ROOT / "results/bench/deployed_cpu.csv"
CASES = {
    "mobilenetv2-multiscale_128x96": PUBLISHED,
    "mobilenetv2_128x96_lspet": Case("dyrelu_mobilenetv2_128x96_lspet"),
    "mobilenetv2_128x96": Case("dyrelu_mobilenetv2_128x96"),
    "mobilenetv2_256x192": Case("dyrelu_mobilenetv2_256x192"),
    "mobilenetv2_256x192_r32": Case("dyrelu_mobilenetv2_256x192", 32),
    "hrnet_256x192": Case("dyrelu_hrnet_256x192"),
}
FLOAT, DYNAMIC, INT8, HYPER = "float32", "float32, dynamic batch", "int8", "int8 hyper"
KINDS = dict(
    none=(FLOAT, DYNAMIC),
    all=(FLOAT, DYNAMIC, HYPER, INT8),
    deep=(FLOAT, HYPER),
    head=(FLOAT, HYPER),
)
KEY = ("model", "placement", "runtime", "file")
OPSET = 18
JUDGED, CALIBRATED = 8, 200  # persons


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])

    def several(flag: str, names: Sequence[str]) -> None:
        parser.add_argument(flag, nargs="+", choices=names, default=names, help="(all)")

    several("--models", tuple(CASES))
    several("--runtime", (*RUNTIMES, *FORMS))
    several("--placements", PLACEMENTS[1:])
    several("--files", (FLOAT, DYNAMIC, INT8, HYPER))
    parser.add_argument("--repeats", type=at_least_one, default=15, help="of each (%(default)s)")
    parser.add_argument(
        "--row", type=at_least_one, default=20, help="images in a row (%(default)s)"
    )
    parser.add_argument("--threads", type=at_least_one, default=1, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT, help="CSV file to write (%(default)s)")
    return parser.parse_args(argv)


def main() -> None:
    """Time one network after the other."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    init_default_scope("mmpose")
    refused = False
    for name in args.models:
        with tempfile.TemporaryDirectory() as folder:
            records = measure(name, Path(folder), args)
        write(args.out, records, KEY)
        console().print(table(name, records))
        refused |= any(
            r["error"] > files.TOLERANCE for r in records if r["file"] in (FLOAT, DYNAMIC)
        )
    print(args.out)
    if refused:
        sys.exit("a file does not compute what PyTorch does")


def measure(name: str, folder: Path, args: argparse.Namespace) -> list[dict]:
    """Return a record per placement, runtime and kind of file of a network."""
    case = CASES[name]
    pixels = stack_inputs(case.load("all"), (), JUDGED).float()
    calls, records = {}, []
    for placement in track(("none", *args.placements), name, console=console(), transient=True):
        network, images, weights = build(case, placement, pixels)
        facts = dict(
            model=name,
            placement=placement,
            sites=sum(isinstance(module, DyReLU) for module in network.modules()),
            input="x".join(map(str, images.shape[1:])),
            weights=weights,
        )
        place = folder / placement
        place.mkdir()
        for call, found in (
            *run_files(case, placement, network, images, place, args),
            *run_forms(network, images[:1], place, args),
        ):
            record = facts | found
            calls[tuple(record[column] for column in KEY)] = call
            records.append(record)
    rows = {key: in_a_row(call, args.row) for key, call in calls.items()}
    times = {
        key: percentiles([seconds / args.row for seconds in found])
        for key, found in time_in_turns(rows, args.repeats, SEED).items()
    }
    source = origin_on("cpu", SEED, "onnx", "onnxruntime", "onnxscript", "openvino")
    amount = dict(repeats=args.repeats, in_a_row=args.row)
    return [with_times(record, times) | amount | source for record in records]


def in_a_row(call: Call, times: int) -> Call:
    """Return what calls several times."""

    def calls() -> None:
        for _ in range(times):
            call()

    return calls


def with_times(record: dict, times: dict[tuple, dict[str, float]]) -> dict:
    """Return a record with its time, and with that over the twin's in the same runtime."""
    found = times[tuple(record[column] for column in KEY)]
    file = record["file"] if record["file"] in (DYNAMIC, "") else FLOAT
    twin = times[record["model"], "none", record["runtime"], file]
    return record | found | dict(times_relu=found["median_ms"] / twin["median_ms"])


def run_files(
    case: Case,
    placement: str,
    network: Network,
    images: Tensor,
    folder: Path,
    args: argparse.Namespace,
) -> Iterator[tuple[Call, dict]]:
    """Yield, for each ONNX file of a network and runtime, what computes an image, and its record.

    The published model and its twin have one of any batch too, and the model one all in int8.
    """
    runtimes = [runtime for runtime in args.runtime if runtime in RUNTIMES]
    kinds = [kind for kind in KINDS[placement] if kind in (FLOAT, *args.files)]
    for kind in kinds if runtimes else ():
        if kind in (DYNAMIC, INT8) and case != PUBLISHED:
            continue
        path = folder / f"{kind}.onnx"
        if kind == HYPER:
            quantize_hyper(folder / f"{FLOAT}.onnx", path)
        elif kind == INT8:
            persons = stack_inputs(case.load(placement), (), CALIBRATED, training=True).float()
            persons = Normalize(network.model.data_preprocessor)(persons)
            quantize(folder / f"{FLOAT}.onnx", path, persons)
        else:
            height, width = images.shape[2:]
            files.write(path, network, (width, height), None if kind == DYNAMIC else 1, OPSET)
        image = images[:1].numpy()
        for runtime in runtimes:
            file = files.OnnxFile(path, args.threads, runtime)
            yield (
                lambda file=file, image=image: file.run(image),
                dict(
                    runtime=runtime,
                    file=kind,
                    persons=len(images),
                    error=max(files.errors(file, network, images).values()),
                    operators=files.operators(path).total(),
                    megabytes=path.stat().st_size / 1e6,
                ),
            )


def run_forms(
    network: Network, image: Tensor, folder: Path, args: argparse.Namespace
) -> Iterator[tuple[Call, dict]]:
    """Yield, for each of PyTorch's forms that can be made here, a call and its record."""
    with torch.no_grad():
        expected = network(image)
    for name in args.runtime:
        if name not in FORMS:
            continue
        try:
            run = FORMS[name](network, image, folder)
        except Skipped as reason:
            console().print(f"{name} is left out: {reason}")
            continue

        def call(run: Run = run) -> Tensor:
            with torch.no_grad():
                return run(image)

        error = float((call() - expected).abs().max() / expected.abs().max())
        empty = dict(operators="", megabytes="")
        yield call, dict(runtime=name, file="", persons=1, error=error) | empty


def table(title: str, records: Sequence[dict]) -> Table:
    """Return what a person reads of the records of one network."""
    result = Table(title=title)
    for name in ("DyReLU", "sites", "runtime", "file", "error", "MB", "ms", "20-80 %", "x ReLU"):
        result.add_column(name)
    for r in records:
        result.add_row(
            r["placement"],
            str(r["sites"]),
            r["runtime"],
            r["file"],
            f"{r['error']:.1e}",
            f"{r['megabytes']:.1f}" if r["file"] else "",
            f"{r['median_ms']:.3g}",
            f"{r['p20_ms']:.3g}-{r['p80_ms']:.3g}",
            f"{r['times_relu']:.2f}",
        )
    return result


if __name__ == "__main__":
    main()
