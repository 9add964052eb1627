"""Every tool has the same shape: its command line can be given, its errors are said in one line."""

import ast
import subprocess
import sys

import pytest

from dyrelu_pose.paths import ROOT
from tests.scripts import DEMO, load

TOOLS = sorted(path for folder in ("tools", "tools/dev") for path in ROOT.glob(f"{folder}/*.py"))
COMMAND_LINE = "argv: Sequence[str] | None=None"


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: path.stem)
def test_shape(path):
    tree = ast.parse(path.read_text())
    arguments = {
        node.name: ast.unparse(node.args) for node in tree.body if isinstance(node, ast.FunctionDef)
    }
    assert arguments["parse_args"] == COMMAND_LINE
    assert arguments["main"].startswith(COMMAND_LINE)
    start = ast.unparse(tree.body[-1])
    assert start.startswith("if __name__ == '__main__':\n    with user_errors():\n")
    assert "description=" in ast.unparse(tree)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("draw_predictions", ("absent.json", "absent.json")),
        ("make_synthetic_coco", ("README.md",)),
        ("plot_log", ("absent",)),
    ],
)
def test_refusal_is_one_line(tool, arguments):
    command = [sys.executable, f"tools/{tool}.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert arguments[0] in line


@pytest.mark.parametrize(
    ("tool", "arguments", "flag"),
    [
        ("crop_dataset", (DEMO, "crops"), "--workers"),
        ("demo", ("pictures",), "--batch-size"),
        ("demo", ("pictures",), "--every"),
        ("draw_predictions", ("truth.json", "found.json"), "--num"),
        ("export_onnx", (DEMO, "model.pth", "model.onnx"), "--calibrate"),
        ("make_synthetic_coco", ("people",), "--workers"),
        ("test", (DEMO, "model.pth"), "--interval"),
        ("train", (DEMO,), "--interval"),
        ("visualize_dyrelu", (DEMO, "model.pth"), "--batch-size"),
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "1.5"])
def test_a_count_that_is_none_is_an_error_of_usage(capsys, tool, arguments, flag, value):
    with pytest.raises(SystemExit, match="2"):
        load(f"tools/{tool}.py").parse_args([*arguments, f"{flag}={value}"])
    assert (
        f"argument {flag}: {value} is not a whole number of at least 1" in capsys.readouterr().err
    )
