"""Two processes learn and find what one does."""

import json

from tests.scripts import run


def test_two_processes_do_what_one_does(tmp_path):
    out = tmp_path / "distributed.json"
    run("tools/dev/check_distributed.py", "--quick", "--out", out)
    record = json.loads(out.read_text())
    assert record["lost"] == "nothing"
    found = record["2 processes"]
    assert 0 < found["errors"]["epoch"] < 1e-3
    assert found["persons_evaluated"] > 7
