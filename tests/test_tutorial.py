"""The tutorial runs, and what is kept of it is a run of the whole, on no particular machine."""

import json
import re

import pytest

from dyrelu_pose.paths import ROOT

from .scripts import load

pytestmark = pytest.mark.long

TUTORIAL = ROOT / "docs/tutorial.ipynb"
CELLS = json.loads(TUTORIAL.read_text())["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
LARGEST = 1e6  # bytes
FEW = dict(PICTURES=24, VALIDATION=8, EPOCHS=1)
NEEDED = ("nbclient", "ipykernel", "onnx", "onnxscript", "onnxruntime")


def printed(cell):
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def test_short_version_runs(tmp_path):
    for package in NEEDED:
        pytest.importorskip(package, reason=f"{package}: requirements/docs.txt, test.txt")
    script = load("tools/dev/run_tutorial.py")
    notebook = script.run(dict(FEW, FOLDER=str(tmp_path)))
    cells = {cell.id: printed(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert "backbone  17 sites: 17 DyReLUC" in cells["list-sites"]
    assert "ReLU      0.188M parameters" in cells["cost"]
    assert "heatmaps (6, 17, 24, 16)" in cells["run-onnx"]
    assert {path.name for path in tmp_path.glob("*/epoch_1.pth")} == {"epoch_1.pth"}
    drawn = [o for cell in notebook.cells for o in cell.get("outputs", ()) if "data" in o]
    assert [next(iter(output.data)).partition("/")[0] for output in drawn] == ["image"] * 7


def test_a_failing_cell_is_one_line(tmp_path):
    pytest.importorskip("nbclient", reason="nbclient: requirements/docs.txt")
    pytest.importorskip("ipykernel", reason="ipykernel: requirements/docs.txt")
    script = load("tools/dev/run_tutorial.py")
    occupied = tmp_path / "file"
    occupied.touch()
    with pytest.raises(script.UserError, match="tutorial.ipynb: FileExistsError: .*file"):
        script.run(dict(FOLDER=str(occupied)))


def test_kept_outputs_are_of_one_run_in_order():
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    assert not any(output["output_type"] == "error" for cell in CODE for output in cell["outputs"])
    assert TUTORIAL.stat().st_size < LARGEST


def test_kept_outputs_name_no_machine():
    text = "".join(map(printed, CODE))
    assert not re.search(r"(?:^|[\s'\"(=])/[\w.-]+/", text, re.MULTILINE)
    assert not any(output.get("name") == "stderr" for cell in CODE for output in cell["outputs"])


def test_links_lead_to_pages():
    text = "\n".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\(([\w/.-]+)(?:#([\w-]+))?\)", text)
    assert len(links) > 5
    for target, anchor in links:
        page = (TUTORIAL.parent / target).read_text()
        headings = [h.lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", page, re.M)]
        assert not anchor or anchor in headings
