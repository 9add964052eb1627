"""Int8 versions of ONNX files: of all products of weights, or of the hyper functions alone."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import Tensor

from dyrelu_pose.compat.onnx_session import keep_to_itself
from dyrelu_pose.errors import UserError

from .files import INPUT, OnnxFile, batches
from .runtimes import require

HYPER = (".fc1_weight", ".fc2_weight")  # of a `DeployedDyReLU`
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
    keep_to_itself()
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


def quantize_hyper(path: Path, out: Path) -> None:
    """Write a version of a file whose hyper functions have weights in int8, a scale per row.

    A `DequantizeLinear` in front of each product makes them float32 again: no range of an
    activation has to be known, and a runtime that keeps them packed reads a quarter of the bytes.

    Args:
        path: File that `files.write` wrote.
        out: File to write.

    Raises:
        UserError: onnx is missing, or there is no DyReLU in the file.
    """
    require("onnx")
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(path))
    graph = model.graph
    matrices = [tensor for tensor in graph.initializer if tensor.name.endswith(HYPER)]
    if not matrices:
        raise UserError("--int8-hyper: there is no DyReLU in the model, whose weights it is about")
    for matrix in matrices:
        name, rows = matrix.name, numpy_helper.to_array(matrix)
        scales = np.abs(rows).max(1) / 127
        scales[scales == 0] = 1
        packed = np.rint(rows / scales[:, None]).astype(np.int8)
        names = f"{name}_int8", f"{name}_scale"
        matrix.CopyFrom(numpy_helper.from_array(packed, names[0]))
        graph.initializer.append(numpy_helper.from_array(scales, names[1]))
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [name], axis=0))
    onnx.save(model, str(out))
