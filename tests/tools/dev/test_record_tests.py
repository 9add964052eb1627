"""The kinds of tests that are counted."""

import importlib.util

import pytest

from dyrelu_pose.paths import ROOT

SPEC = importlib.util.spec_from_file_location("record_tests", ROOT / "tools/dev/record_tests.py")
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.mark.parametrize("kind", tool.KINDS)
def test_tests_are_there(kind):
    _, paths = tool.KINDS[kind]
    assert all((ROOT / path).exists() for path in paths)
