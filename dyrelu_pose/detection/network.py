"""The network of an ONNX file, run by ONNX Runtime or, where that is absent, by OpenCV."""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch

from dyrelu_pose.compat.onnx_session import open_session
from dyrelu_pose.errors import UserError

from .file_inputs import picture_input


class Network(Protocol):
    """A network of one picture.

    Attributes:
        size: Width and height of the picture, in pixels.
    """

    size: tuple[int, int]

    def __call__(self, blob: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs, by their names, for (1, 3, H, W) float32."""
        ...


def open_network(path: Path) -> Network:
    """Open a file by ONNX Runtime if that is installed, and else by OpenCV.

    Raises:
        UserError: The file is missing or damaged, or takes anything but one picture of fixed size.
    """
    if not path.is_file():
        what = "is a folder, and has to be an ONNX file" if path.is_dir() else "does not exist"
        raise UserError(f"detector {path} {what}")
    name, size = picture_input(path)
    kind = OpenCVNetwork if find_spec("onnxruntime") is None else OnnxRuntimeNetwork
    return kind(path, name, size)


class OnnxRuntimeNetwork:
    """A file run by ONNX Runtime on the CPU.

    Args:
        path: The file.
        name: Name of its input.
        size: Width and height of the picture, in pixels.

    Raises:
        UserError: ONNX Runtime cannot read it.
    """

    def __init__(self, path: Path, name: str, size: tuple[int, int]) -> None:
        self.name, self.size = name, size
        self.session = open_session(path, torch.get_num_threads())
        self.outputs = [output.name for output in self.session.get_outputs()]

    def __call__(self, blob: np.ndarray) -> dict[str, np.ndarray]:
        """See `Network`."""
        found = self.session.run(self.outputs, {self.name: blob})
        return dict(zip(self.outputs, map(np.asarray, found), strict=True))


class OpenCVNetwork:
    """A file run by OpenCV's dnn module.

    Args:
        path: The file.
        name: Name of its input.
        size: Width and height of the picture, in pixels.

    Raises:
        UserError: OpenCV cannot read or run it.
    """

    def __init__(self, path: Path, name: str, size: tuple[int, int]) -> None:
        self.path, self.name, self.size = path, name, size
        try:
            self.net = cv2.dnn.readNetFromONNX(str(path))
        except cv2.error as error:
            raise self._refused(error) from error

    def __call__(self, blob: np.ndarray) -> dict[str, np.ndarray]:
        """See `Network`."""
        names = self.net.getUnconnectedOutLayersNames()
        try:
            self.net.setInput(blob, self.name)
            found = self.net.forward(names)
        except cv2.error as error:
            raise self._refused(error) from error
        return dict(zip(names, found, strict=True))

    def _refused(self, error: cv2.error) -> UserError:
        reason = " ".join(str(error).split())[:100]
        return UserError(
            f"OpenCV cannot run detector {self.path} ({reason}): pip install onnxruntime, which "
            "knows more operators"
        )
