"""A wheel works away from the checkout: configs, tools and requirements are in it."""

import re
import shutil
import zipfile

import pytest

import dyrelu_pose
from dyrelu_pose.paths import ROOT

from .scripts import run

SOURCES = ("dyrelu_pose", "checkpoints", "configs", "requirements", "tools")
OF_A_CHECKOUT = {"dist_train.sh", "dist_test.sh"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The folder of a wheel's files, built by way of a source distribution."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    for name in SOURCES:
        shutil.copytree(ROOT / name, source / name)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    run("-c", build, cwd=source)
    (archive,) = (source / "dist").glob("*.tar.gz")
    offline = ("--no-index", "--no-deps", "--no-build-isolation")
    run("-m", "pip", "wheel", *offline, "--wheel-dir", out, archive, cwd=out)
    (wheel,) = out.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(out / "unpacked")
    return out / "unpacked"


def names(folder, pattern="*.py"):
    return {str(path.relative_to(folder)) for path in folder.rglob(pattern)}


def test_holds_all_that_the_package_needs(unpacked):
    inside = unpacked / "dyrelu_pose/.mim"
    assert names(inside / "configs") == names(ROOT / "configs")
    assert names(inside / "checkpoints", "*") == names(ROOT / "checkpoints", "*")
    tools = {path.name for path in (ROOT / "tools").iterdir() if path.is_file()}
    assert {path.name for path in (inside / "tools").iterdir()} == tools - OF_A_CHECKOUT
    assert names(inside / "configs", "*.yml") == names(ROOT / "configs", "*.yml")
    assert (inside / "model-index.yml").read_text() == (ROOT / "model-index.yml").read_text()
    asked = {str(path.relative_to(inside)) for path in inside.rglob("*.txt")}
    assert asked == {"requirements/mmpretrain.txt", "requirements/openmmlab.txt"}
    modules = names(ROOT / "dyrelu_pose")
    assert names(unpacked / "dyrelu_pose") - names(inside.parent, ".mim/**/*.py") == modules
    assert (inside.parent / "py.typed").exists()
    assert {path.name.partition("-")[0] for path in unpacked.iterdir()} == {"dyrelu_pose"}


def test_its_version_is_that_of_the_package_and_the_citation(unpacked):
    (cited,) = re.findall(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == dyrelu_pose.__version__
    assert (unpacked / f"dyrelu_pose-{cited}.dist-info").is_dir()


def test_lists_the_sites_of_a_config_that_inherits_from_one_in_the_wheel(unpacked, tmp_path):
    # Only the wheel has this one, so no other dyrelu_pose can answer for it.
    only_here = unpacked / "dyrelu_pose/.mim/configs/only_here.py"
    only_here.write_text("_base_ = 'demo/dyrelu_resnet18.py'")
    (tmp_path / "own.py").write_text("_base_ = 'dyrelu_pose::only_here.py'")
    tool = ("-m", "dyrelu_pose", "list-sites")
    listed = run(*tool, "own.py", cwd=tmp_path, PYTHONPATH=str(unpacked))
    assert "22 sites: 17 DyReLUB, 5 DyReLUC" in listed


def test_all_its_tools_import(unpacked, tmp_path):
    script = (
        "import runpy\nfrom dyrelu_pose.__main__ import TOOLS, tools\n"
        "for path in tools().values():\n    runpy.run_path(str(path))\nprint(TOOLS)"
    )
    printed = run("-c", script, cwd=tmp_path, PYTHONPATH=str(unpacked))
    assert printed.split()[-1] == str(unpacked / "dyrelu_pose/.mim/tools")
