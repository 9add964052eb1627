"""What the README, the results and the docs show and name is there."""

import json
import re

import pytest

from dyrelu_pose.paths import ROOT

from .scripts import run

README = (ROOT / "README.md").read_text()
PAGES = [
    README,
    *(path.read_text() for folder in ("docs", "results") for path in ROOT.glob(f"{folder}/*.md")),
]
# A name in capitals stands for any.
NAMED = re.compile(
    r"(?<![\w/])(?:configs|tools|results|tests|dyrelu_pose)/(?![A-Z]+\.py)[\w/.+-]*\w"
)
RESULTS = ROOT / "results"
NO_RUNS = ("bench", "reliability", "runs")
RUNS = sorted(p for p in RESULTS.rglob("*.json") if p.parent.name not in NO_RUNS)
ORIGIN = ("command", "device", "versions", "seed", "date", "revision")


def test_readme_is_one_page():
    assert len(README.splitlines()) <= 140


def test_tables_are_those_of_the_result_files():
    run("tools/dev/readme_tables.py", "--check")


@pytest.mark.parametrize("path", sorted({path for page in PAGES for path in NAMED.findall(page)}))
def test_named_file_exists(path):
    assert (ROOT / path).exists()


def test_sites_shown_are_those_of_the_tool():
    shown = re.search(r"list_sites.py configs/dyrelu_hrnet.py\n(.*?)\n\n[A-Z]", README, re.DOTALL)
    listed = run("tools/list_sites.py", "configs/dyrelu_hrnet.py")
    for line in shown[1].splitlines():
        assert line.strip() in ("", "...") or line.strip() in listed


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_result_says_where_it_comes_from(path):
    record = json.loads(path.read_text())
    assert (ROOT / record["config"]).exists()
    for key in ORIGIN:
        assert record[key] not in ("", None), key
    assert record["metrics"]["coco/AP"] == pytest.approx(record["curve"]["ap"][-1][1], abs=1e-4)


@pytest.mark.parametrize("path", sorted(RESULTS.glob("ablations/*/runs/*.json")), ids=str)
def test_run_of_a_grid_says_where_it_comes_from(path):
    record = json.loads(path.read_text())
    assert path.stem == f"{record['cell']}-seed{record['seed']}"
    for key in ORIGIN:
        assert record[key] not in ("", None), key
    assert record["AP"] == pytest.approx(record["curve"]["ap"][-1][1], abs=1e-4)
