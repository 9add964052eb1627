"""ONNX files of networks: writing them, running them, and comparing them with PyTorch."""

import copy
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from dyrelu_pose.errors import UserError

from .deployed import deploy
from .network import Network
from .runtimes import RUNTIMES, require

INPUT = "images"
NORMALIZES = "dyrelu_pose.normalises"  # key in a file's metadata
TOLERANCE = 1e-3  # largest error over largest value


def write(
    path: Path, network: Network, input_size: tuple[int, int], batch: int | None, opset: int
) -> None:
    """Write a network to an ONNX file with one input, `images`, in its deployed form.

    Args:
        path: File to write; its folder is made.
        network: Network in evaluation mode; stays as it is.
        input_size: Width and height of the input in pixels.
        batch: Number of images, or None for any number.
        opset: Version of ONNX's operators.

    Raises:
        UserError: A package is missing, or the exporter refuses, or has no such opset.
    """
    require("onnx", "onnxscript")
    width, height = input_size
    images = torch.zeros(batch or 2, 3, height, width)  # an axis of 1 would count as fixed
    with torch.no_grad(), _silent():
        names = network.output_names(images)
        try:
            program = torch.onnx.export(
                deploy(copy.deepcopy(network)),
                (images,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=names,
                opset_version=opset,
                dynamic_shapes=None if batch else ({0: torch.export.Dim("batch")},),
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = str(error.__cause__ or error).strip().splitlines()[0]
            raise UserError(f"this model cannot be exported: {reason}") from error
    program = cast(torch.onnx.ONNXProgram, program)  # None only without dynamo
    if (made := program.model.opset_imports.get("")) != opset:
        raise UserError(
            f"this model cannot be exported in opset {opset}, only in opset {made}: no file is "
            f"written; try --opset {made}"
        )
    for node in program.model.graph:  # files and lines of the code that wrote it, a tenth of a file
        node.metadata_props.clear()
    program.model.metadata_props[NORMALIZES] = str(network.normalizes)
    program.save(str(path), external_data=False)


@contextmanager
def _silent() -> Iterator[None]:
    """Hold back what the exporter says about itself."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def operators(path: Path) -> Counter[str]:
    """Return how often the graph of an ONNX file has each operator."""
    require("onnx")
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return Counter(node.op_type for node in graph.node)


class OnnxFile:
    """An ONNX file of a network, opened on the CPU.

    Args:
        path: File that `write` wrote, or an int8 version of it.
        threads: Threads that one operator may use.
        runtime: What computes it, of `RUNTIMES`.

    Attributes:
        path: The file.
        runtime: What computes it.
        batch: Number of images that it takes, or None for any number.
        input_size: Width and height of its input in pixels, or names where any will do.
        normalizes: Whether it takes pixels, BGR, 0 to 255, and not normalised images.
        outputs: Names of what it returns.

    Raises:
        UserError: The runtime is not installed, or cannot read the file.
    """

    def __init__(self, path: Path | str, threads: int = 1, runtime: str = "onnxruntime") -> None:
        require(runtime)
        self.path = path
        if not Path(path).is_file():
            raise UserError(f"ONNX file {path} does not exist")
        self.runtime = RUNTIMES[runtime](Path(path), threads)
        self.outputs = self.runtime.outputs
        inputs = self.runtime.inputs
        if len(inputs) != 1 or len(inputs[0][1]) != 4:
            raise UserError(f"{path} is not of a pose model: it must have one input (N, 3, H, W)")
        batch, _, height, width = inputs[0][1]
        self.input_size = width, height
        self.batch = batch if isinstance(batch, int) else None
        self.normalizes = self.runtime.metadata(NORMALIZES) == "True"

    def run(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs, by their names, for images (N, 3, H, W) in float32, any N."""
        if self.batch in (None, len(images)):
            return dict(zip(self.outputs, self.runtime(images), strict=True))
        parts = [self.runtime(batch) for batch in batches(images, self.batch)]
        joined = (np.concatenate(part)[: len(images)] for part in zip(*parts, strict=True))
        return dict(zip(self.outputs, joined, strict=True))


def batches(images: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield images (N, ...) in batches of one size; the last is filled up with the last image."""
    for i in range(0, len(images), size):
        batch = images[i : i + size]
        yield np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), 0)])


def errors(file: OnnxFile, network: Network, images: Tensor) -> dict[str, float]:
    """Return, by output, the largest error of a file over the largest value of the network.

    Args:
        file: File of the network.
        network: What PyTorch computes.
        images: Input of both, (N, 3, H, W).
    """
    with torch.no_grad():
        expected = network(images)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    found = file.run(images.numpy()).items()
    return {
        name: float(np.abs(values - wanted.numpy()).max() / wanted.abs().max().clamp(min=1e-30))
        for (name, values), wanted in zip(found, expected, strict=True)
    }
