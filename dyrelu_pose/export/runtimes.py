"""What computes an ONNX file on the CPU, ONNX Runtime or OpenVINO, behind one interface.

An opened file has a `title`, the `inputs` and `outputs` of the network, and `metadata`; called with
images, it returns a list of arrays. Neither package is imported before.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import cast

import numpy as np

from dyrelu_pose.compat.onnx_session import open_session
from dyrelu_pose.errors import UserError

Input = tuple[str, tuple[object, ...]]  # name and sizes: a number, or a name where any will do


def require(*packages: str) -> None:
    """Raise unless every package is installed; a runtime is named as its package is.

    Raises:
        UserError: Names those that are not, and how to install them.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserError(
            f"ONNX files need {' and '.join(missing)} here: pip install {' '.join(missing)}"
        )


class OnnxRuntime:
    """A file opened by ONNX Runtime.

    Args:
        path: The file.
        threads: Threads that one operator may use.

    Attributes:
        inputs: Names and sizes of the inputs.
        outputs: Names of what is returned.

    Raises:
        UserError: It cannot read the file.
    """

    title = "ONNX Runtime"

    def __init__(self, path: Path, threads: int) -> None:
        self._session = open_session(path, threads)
        self.inputs = [(item.name, tuple(item.shape)) for item in self._session.get_inputs()]
        self.outputs = [item.name for item in self._session.get_outputs()]

    def metadata(self, key: str) -> str | None:
        """Return what the file says under a key, if anything."""
        return self._session.get_modelmeta().custom_metadata_map.get(key)

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for what the one input takes."""
        return cast(list[np.ndarray], self._session.run(None, {self.inputs[0][0]: images}))


class OpenVino:
    """A file opened by OpenVINO, as `OnnxRuntime` is.

    It computes in float32: left to itself it takes bfloat16 where the processor can, which moves
    maxima of heatmaps.

    Args:
        path: The file.
        threads: Threads that it may use.
    """

    title = "OpenVINO"

    def __init__(self, path: Path, threads: int) -> None:
        import openvino

        core = openvino.Core()
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        try:
            self._model = core.read_model(path)
            compiled = core.compile_model(self._model, "CPU", options)
        except RuntimeError as error:
            raise UserError(f"OpenVINO cannot read {path}: {_reason(error)}") from error
        self._request = compiled.create_infer_request()
        self.inputs = [(item.get_any_name(), _sizes(item)) for item in self._model.inputs]
        self.outputs = [item.get_any_name() for item in self._model.outputs]

    def metadata(self, key: str) -> str | None:
        """Return what the file says under a key, if anything."""
        place = ["framework", key]
        return (
            self._model.get_rt_info(place).astype(str) if self._model.has_rt_info(place) else None
        )

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for what the one input takes."""
        return list(self._request.infer([images]).to_tuple())


def _reason(error: Exception) -> str:
    """Return what an error says, without the lines of OpenVINO that name its source files."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Exception from", "Check "))]
    return (said or lines or [type(error).__name__])[0].strip()


def _sizes(port) -> tuple[object, ...]:
    return tuple(
        size.get_length() if size.is_static else str(size) for size in port.get_partial_shape()
    )


RUNTIMES: dict[str, type[OnnxRuntime] | type[OpenVino]] = dict(
    onnxruntime=OnnxRuntime, openvino=OpenVino
)
