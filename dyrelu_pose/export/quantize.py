"""Int8 versions of ONNX files, by ONNX Runtime's static quantisation."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from .files import INPUT, OnnxFile, batches
from .runtimes import require

QUANTIZED = ("Conv", "Gemm", "MatMul")


def quantize(path: Path, out: Path, images: Tensor) -> None:
    """Write the int8 version of a file: convolutions and products of matrices, scales per channel.

    Activations and everything that is not a product of weights, such as DyReLU's maximum, stay
    float32.

    Args:
        path: File that `files.write` wrote.
        out: File to write.
        images: Inputs to calibrate the ranges of the activations with, (N, 3, H, W).

    Raises:
        UserError: A package is missing.
    """
    require("onnx", "onnxruntime")
    batch = OnnxFile(path).batch or 1
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.left: Iterator[np.ndarray] = batches(images.numpy(), batch)

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self.left, None)
            return None if part is None else {INPUT: part}

    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # it advises what has been done
    try:
        with tempfile.TemporaryDirectory() as folder:
            prepared = Path(folder, "prepared.onnx")
            quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(prepared),
                str(out),
                Reader(),
                op_types_to_quantize=list(QUANTIZED),
                per_channel=True,
                activation_type=quantization.QuantType.QUInt8,
                weight_type=quantization.QuantType.QInt8,
            )
    finally:
        logging.root.setLevel(level)
