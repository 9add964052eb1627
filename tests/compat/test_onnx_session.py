"""ONNX Runtime does what it is asked to, and reports to nobody."""

import pytest

from tests.scripts import run

pytest.importorskip("onnxruntime", reason="pip install onnxruntime: it is what is kept quiet")

OPEN = """
import sys
from dyrelu_pose.compat.onnx_session import open_session
from dyrelu_pose.errors import UserError
try:
    open_session(sys.argv[1], 1)
except UserError as error:
    print(error)
"""


def test_no_telemetry_is_started(tmp_path):
    """What starts it writes the number of a session to the folder of temporary files."""
    (tmp_path / "none.onnx").write_bytes(b"no network")
    folder = tmp_path / "tmp"
    folder.mkdir()
    # In what says that it is a CI, there is none anyway.
    clean = dict(TMPDIR=str(folder), CI="", GITHUB_ACTIONS="", TF_BUILD="")
    printed = run("-c", OPEN, tmp_path / "none.onnx", **clean)
    assert "ONNX Runtime cannot read" in printed
    assert ".ses" not in [path.name for path in folder.iterdir()]
