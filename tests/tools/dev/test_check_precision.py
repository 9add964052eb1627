"""Training in half precision stays finite, and a value that does not is seen."""

import json

import pytest

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
