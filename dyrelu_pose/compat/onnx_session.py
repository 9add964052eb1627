"""ONNX files opened by ONNX Runtime, an optional package: detectors' and those of the export."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dyrelu_pose.errors import UserError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def keep_to_itself() -> None:
    """Keep ONNX Runtime from reporting to its maker; for before its first import.

    From 1.29 on its files for Linux do, unless this variable of the environment is set.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def open_session(path: Path | str, threads: int) -> "InferenceSession":
    """Return a session on the CPU that says nothing but errors.

    Args:
        path: The file.
        threads: Threads that one operator may use.

    Raises:
        UserError: ONNX Runtime cannot read the file.
    """
    keep_to_itself()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes are private
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"ONNX Runtime cannot read {path}: {reason}") from error
