"""Grids and configs written by the tests."""

from textwrap import dedent

import pytest

from dyrelu_pose.paths import ROOT

DEMO = ROOT / "configs/demo/resnet18.py"


@pytest.fixture
def write_grid(tmp_path):
    """A function that writes a grid over the demo config and returns its path."""

    def write(text, name="grid.py"):
        path = tmp_path / name
        path.write_text(dedent(text).replace("DEMO", repr(str(DEMO))))
        return path

    return write
