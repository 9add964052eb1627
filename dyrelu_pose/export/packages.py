"""The optional packages that ONNX files need."""

from importlib.util import find_spec

from dyrelu_pose.errors import UserError


def require(*packages: str) -> None:
    """Raise unless every package is installed.

    Raises:
        UserError: Names those that are not, and how to install them.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise UserError(
            f"ONNX files need {' and '.join(missing)}: pip install onnx onnxscript onnxruntime"
        )
