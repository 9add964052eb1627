"""Export a model to ONNX and check the file: `python tools/export_onnx.py CONFIG CHECKPOINT OUT`.

The file takes one image at a time unless --batch says otherwise: a fixed size is faster. Batch
normalisations are folded into the convolutions, and each DyReLU becomes a dozen operators. The file
is then compared with PyTorch on real persons: the largest error of every output over its largest
value is printed, a file that is off by more than 0.001 is removed, and both are timed on one image.
With --int8 convolutions compute in 8 bits; with --int8-hyper the weights of DyReLU's hyper
functions have 8 bits. How far that is off is printed; `tools/test.py` measures what it costs in AP.
Needs `pip install onnx onnxscript onnxruntime`.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor

from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.config.arguments import add_cfg_options, at_least_one
from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.export.files import TOLERANCE, OnnxFile, errors, operators, write
from dyrelu_pose.export.network import Network, Normalize
from dyrelu_pose.export.quantize import quantize, quantize_hyper
from dyrelu_pose.export.runtimes import require
from dyrelu_pose.inference.inputs import stack_inputs
from dyrelu_pose.inference.load import load_trained
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import check_output_file


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Export a model to ONNX and check the file")
    parser.add_argument("config", help="config file, with or without DyReLU")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("out", type=Path, help="ONNX file to write")
    parser.add_argument(
        "--batch", type=batch, default=1, metavar="N|dynamic",
        help="images per run, or dynamic: any number, slower (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--normalise",
        action="store_true",
        help="normalise in the file: it then takes pixels as OpenCV reads them, BGR, 0 to 255",
    )
    parser.add_argument(
        "--decode", action="store_true", help="return keypoints in pixels, and scores, as well"
    )
    parser.add_argument("--opset", type=int, default=18, help="opset version of ONNX (%(default)s)")
    parser.add_argument(
        "--images", type=Path, nargs="+", default=(),
        help="pictures, or folders of them, to compare and calibrate on (persons of the config's "
        "validation and training sets)",
    )  # fmt: skip
    parser.add_argument(
        "--num", type=at_least_one, default=8, help="persons to compare on (%(default)s)"
    )
    int8 = parser.add_mutually_exclusive_group()
    int8.add_argument("--int8", action="store_true", help="quantise to 8 bits")
    int8.add_argument(
        "--int8-hyper",
        action="store_true",
        help="quantise the weights of DyReLU's hyper functions alone to 8 bits",
    )
    parser.add_argument(
        "--calibrate",
        type=at_least_one,
        default=200,
        help="persons to calibrate int8 on (%(default)s)",
    )
    parser.add_argument(
        "--threads", type=at_least_one, default=1, help="CPU threads for timing (%(default)s)"
    )
    parser.add_argument("--repeats", type=at_least_one, default=20, help="timed runs (%(default)s)")
    add_cfg_options(parser, "override entries of the config")
    args = parser.parse_args(argv)
    if args.out.suffix != ".onnx":
        parser.error(f"the name of {args.out} must end in .onnx")
    return args


def batch(text: str) -> int | None:
    """Return the number of images that --batch asks for, None for any number.

    Raises:
        argparse.ArgumentTypeError: It is no such number.
    """
    if text == "dynamic":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number from 1 on nor 'dynamic'")
    return int(text)


def main(argv: Sequence[str] | None = None) -> None:
    """Export, compare, count and time."""
    args = parse_args(argv)
    check_output_file(args.out)
    require("onnx", "onnxscript", "onnxruntime")
    torch.set_num_threads(args.threads)
    cfg = load_model_config(args.config, args.cfg_options)
    network = Network(load_trained(cfg, args.checkpoint), args.normalise, args.decode).eval()

    def inputs(number: int, training: bool = False) -> Tensor:
        images = stack_inputs(cfg, args.images, number, training).float()
        preprocessor = network.model.get_submodule("data_preprocessor")
        return images if args.normalise else Normalize(preprocessor)(images)

    images = inputs(args.num)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.out.parent) as folder:  # a bad file is never at `out`
        path = Path(folder, args.out.name)
        console = Console(stderr=True)
        with console.status("exporting, up to minutes"):
            write(path, network, input_size_of(cfg), args.batch, args.opset)
        try:
            file = OnnxFile(path, args.threads)
        except UserError as error:
            raise UserError(f"opset {args.opset} fails, no file is written: {error}") from error
        compare(file, network, images, TOLERANCE)
        if args.int8 or args.int8_hyper:
            exact, path = path, path.with_suffix(".int8.onnx")
            if args.int8_hyper:
                quantize_hyper(exact, path)
            else:
                calibration = inputs(args.calibrate, training=True)
                with console.status(f"calibrating on {len(calibration)} persons"):
                    quantize(exact, path, calibration)
            print("int8:")
            compare(OnnxFile(path, args.threads), network, images, tolerance=None)
        path.replace(args.out)
    file = OnnxFile(args.out, args.threads)
    counts = operators(args.out)
    common = ", ".join(f"{count} {name}" for name, count in counts.most_common(8))
    size = args.out.stat().st_size / 1e6
    print(f"{args.out}: {size:.1f} MB, {counts.total()} operators: {common}")
    if file.batch in (None, 1):
        print(times(file, network, images[:1], args.threads, args.repeats))


def compare(file: OnnxFile, network: Network, images: Tensor, tolerance: float | None) -> None:
    """Print the errors of the outputs.

    Raises:
        UserError: One is above the tolerance.
    """
    found = errors(file, network, images)
    for name, error in found.items():
        print(f"{name}: largest error {error:.1e} of the largest value, on {len(images)} persons")
    name, error = max(found.items(), key=lambda item: item[1])
    if tolerance is not None and not error <= tolerance:  # not a number is wrong, too
        why = ""
        if name == "keypoints" and found["heatmaps"] <= tolerance:
            why = (
                "; the heatmaps agree, so some are flat, as before a training, and rounding "
                "decides where their maximum is: train the model, or export without --decode"
            )
        raise UserError(
            f"{name} of the file: off by {error:.1e} of the largest value, {tolerance:g} is "
            f"allowed: no file is written{why}"
        )


def times(file: OnnxFile, network: Network, image: Tensor, threads: int, repeats: int) -> str:
    """Say how long one image takes in both."""

    def torch_call() -> None:
        with torch.no_grad():
            network(image)

    array = image.numpy()
    calls = {file.runtime.title: lambda: file.run(array), "PyTorch": torch_call}
    parts = []
    for name, seconds in time_in_turns(calls, repeats, 0).items():
        found = percentiles(seconds)
        spread = f"{found['p20_ms']:.3g} to {found['p80_ms']:.3g}"
        parts.append(f"{name} {found['median_ms']:.3g} ms ({spread})")
    return f"one image, {threads} thread(s): {', '.join(parts)}"


if __name__ == "__main__":
    with user_errors():
        main()
