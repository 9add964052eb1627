"""The examples in the docstrings give what they show."""

import doctest
import importlib

import pytest
from mmengine.logging import MMLogger

from dyrelu_pose.paths import ROOT

# Others need no import: optional packages may be absent.
SHOWING = sorted(p for p in (ROOT / "dyrelu_pose").rglob("*.py") if ">>> " in p.read_text())
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SHOWING]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    MMLogger.get_current_instance()  # made within an example, it would print there
    tried = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert tried.attempted
    assert not tried.failed
