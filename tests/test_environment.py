"""What `python -m dyrelu_pose env` says of the place that it runs in."""

import sys
from importlib.metadata import version

import pytest
import torch

from dyrelu_pose import __version__, environment
from dyrelu_pose.compat.stand_ins import StandIn, StandInFinder
from dyrelu_pose.ops import backends
from dyrelu_pose.paths import ROOT

from .scripts import run


def test_versions_are_those_of_the_packages(monkeypatch):
    groups = ("torch", ("absent-package", "numpy"), ("absent-package", "absent-too"))
    monkeypatch.setattr(environment, "PACKAGES", groups)
    facts = environment.describe()
    assert facts["torch"] == version("torch")
    assert facts["numpy"] == version("numpy")
    assert facts["absent-package"] == "not installed"
    assert facts["dyrelu_pose"].startswith(f"{__version__}, from a checkout at ")


def test_wheel_has_no_revision(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "IN_WHEEL", tmp_path)
    assert environment.describe()["dyrelu_pose"] == f"{__version__}, from a wheel"


def test_compiler_is_the_one_that_torch_finds():
    def said(compiler):
        with torch._inductor.config.patch({"cpp.cxx": (compiler,)}):
            return environment.describe()["C++ compiler"]

    assert said(sys.executable) == sys.executable  # which knows --version too
    assert said("no-such-compiler").startswith("none")


@pytest.mark.skipif(not backends.HAS_NUMBA, reason="numba is not installed")
def test_backend_depends_on_samples_per_thread(monkeypatch):
    def said():
        return environment.describe()["backend 'auto'"].partition(", ")[0]

    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert said() == "numba on the CPU for 4 samples and more"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert said() == "numba on the CPU"
    monkeypatch.setattr(backends, "HAS_NUMBA", False)
    assert said() == "eager on the CPU"


def test_stand_ins_are_those_in_place():
    said = {name for name, value in environment.describe().items() if "stand-in: " in value}
    modules = [next(iter(s.modules)) for s in environment.active()]
    loaders = {name: getattr(module.__spec__, "loader", None)
               for name, module in sys.modules.items()
               if hasattr(module, "__spec__")}  # fmt: skip
    ours = {name for name, loader in loaders.items() if isinstance(loader, StandInFinder)}
    assert said == set(modules)
    assert said <= ours
    assert {name.partition(".")[0] for name in ours} == {n.partition(".")[0] for n in said}


def test_broken_package_is_told_from_an_absent_one(monkeypatch):
    broken = StandIn({"numpy.gone": dict}, needed_by="somebody", install="pip install it")
    absent = StandIn({"nowhere": dict}, needed_by="nobody", install="pip install it")
    monkeypatch.setattr(environment, "active", lambda: [broken, absent])
    facts = environment.describe()
    assert facts["numpy.gone"] == (
        f"stand-in: numpy {version('numpy')} does not import it; asked for by somebody"
    )
    assert facts["nowhere"] == "stand-in: nowhere is not installed; asked for by nobody"


def test_tool_prints_a_line_per_fact_and_no_path():
    printed = run("tools/env.py")
    names = [line.partition("  ")[0] for line in printed.splitlines()]
    assert names == list(environment.describe())
    assert str(ROOT) not in printed
