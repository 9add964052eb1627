"""The kinds of tests that are counted."""

import pytest

from dyrelu_pose.paths import ROOT
from tests.scripts import load

tool = load("tools/dev/record_tests.py")


@pytest.mark.parametrize("kind", tool.KINDS)
def test_tests_are_there(kind):
    _, paths = tool.KINDS[kind]
    assert all((ROOT / path).exists() for path in paths)
