"""Training in half precision stays finite, and a value that does not is seen."""

import contextlib
import functools
import json

import pytest
import torch

from dyrelu_pose.errors import UserError
from tests.scripts import load


@pytest.fixture
def tool():
    return load("tools/dev/check_precision.py")


def test_stays_finite(tool, tmp_path):
    out = tmp_path / "precision.json"
    tool.main(["--quick", "--out", str(out)])
    record = json.loads(out.read_text())
    assert record["times"] == 200
    assert record["lost"] == "nothing"
    assert record["float16, times 1000"]["last_loss"] < record["float16, times 1000"]["first_loss"]


def test_what_is_not_finite_is_an_error(tool, monkeypatch):
    monkeypatch.setattr(tool, "SCALES", (float("inf"),))
    monkeypatch.setattr(tool, "QUICK", 2)
    with pytest.raises(UserError, match="became NaN or infinite"):
        tool.main(["--quick"])


def test_a_network_that_stands_still_is_an_error(tool, monkeypatch):
    still = functools.partial(torch.optim.SGD, lr=0)
    monkeypatch.setattr(tool.torch.optim, "Adam", lambda parameters, lr: still(parameters))
    monkeypatch.setattr(tool, "spots", lambda: (torch.zeros(8, 1, 16, 16),) * 2)
    monkeypatch.setattr(tool, "QUICK", 2)
    with pytest.raises(UserError, match="did not learn"):
        tool.main(["--quick"])


def test_a_network_that_computes_in_float32_is_an_error(tool, monkeypatch):
    monkeypatch.setattr(tool.torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    with pytest.raises(UserError, match="bfloat16 was not tried"):
        tool.main(["--quick"])
