"""Every file of results/ has a writer, and the tables of the pages lead to what they are made from.

What no script writes is called NAME_notes.csv, and its table says so.
"""

import csv
import json
import re
import shlex

import pytest

from dyrelu_pose.paths import ROOT

RESULTS = ROOT / "results"
DATA = sorted(path for kind in ("csv", "json") for path in RESULTS.rglob(f"*.{kind}"))
NOTES = [path for path in DATA if path.stem.endswith("_notes")]
WRITTEN = [path for path in DATA if path not in NOTES]
PAGES = ("README.md", "checkpoints/README.md", "results/README.md", "docs/*.md")
BLOCK = re.compile(r"<!-- table (\w+) -->\n(.*?)<!-- end -->", re.DOTALL)
TABLES = [
    (page, name, table)
    for pattern in PAGES
    for page in sorted(ROOT.glob(pattern))
    for name, table in BLOCK.findall(page.read_text())
]
# Files without a column for their command.
COMMANDS = {
    "coverage.csv": "python tools/dev/sweep_mmpose_configs.py",
    "dependencies.csv": "python tools/dev/lock.py",
}
# A record of a run may name what to run again; another tool has kept it.
KEPT_BY = {"tools/train.py": "tools/dev/record_run.py"}


def of(path):
    return str(path.relative_to(ROOT))


def commands(path):
    """The commands that a data file names."""
    if path.name in COMMANDS:
        return {COMMANDS[path.name]}
    if path.suffix == ".json":
        return {json.loads(path.read_text())["command"]}
    with path.open(newline="") as file:
        return {row["command"] for row in csv.DictReader(file)}


def can_write(command, path):
    """Whether a command names a script that writes a file, or whatever file of its folder."""
    words = shlex.split(command)
    script = "noxfile.py" if words[0] == "nox" else words[1]
    script = KEPT_BY.get(script, script)
    source = (ROOT / script).read_text()
    if path.name in command or path.name in source:
        return True
    in_folder = f"results/{path.relative_to(RESULTS).parts[0]}" in source
    named = in_folder and (f'"{path.stem}"' in source or '"--out"' in source)
    return named or ('"--out"' in source and script in KEPT_BY.values())


@pytest.mark.parametrize("path", WRITTEN, ids=of)
def test_file_is_written_by_the_script_that_it_names(path):
    found = commands(path)
    assert found
    for command in found:
        assert can_write(command, path), command


def test_a_file_that_was_typed_is_told():
    typed = RESULTS / "coco_mini/typed.csv"
    for tool in ("visualize_dyrelu", "export_onnx", "test", "dev/readme_tables"):
        assert not can_write(f"python tools/{tool}.py CONFIG CHECKPOINT", typed)


@pytest.mark.parametrize("path", NOTES, ids=of)
def test_note_is_called_one_by_its_table(path):
    tables = [table for _, _, table in TABLES if f"{path.name})" in table]
    assert tables
    assert all("written down by hand" in table for table in tables)


@pytest.mark.parametrize("path", sorted(RESULTS.rglob("*.png")), ids=of)
def test_picture_has_its_data_beside_it_or_a_tool_in_its_caption(path):
    if path.with_suffix(".csv").exists() or path.with_name("runs.csv").exists():
        return
    page = (RESULTS / "README.md").read_text()
    shown = re.escape(str(path.relative_to(RESULTS)))
    caption = re.search(rf"\({shown}\)\n\n\*.*?`(tools/\w+\.py)`.*?\*\n", page)
    assert (ROOT / caption[1]).exists()


@pytest.mark.parametrize(
    ("page", "table"),
    [pytest.param(page, table, id=f"{of(page)}: {name}") for page, name, table in TABLES],
)
def test_table_leads_to_what_it_is_made_from(page, table):
    targets = re.findall(r"\]\(([^)]+)\)", table)
    assert targets
    for target in targets:
        assert (page.parent / target).is_file(), target
