"""A training that is killed and preempted ends like one that is left alone."""

import json

from tests.scripts import run


def test_interruptions_change_nothing(tmp_path):
    out = tmp_path / "soak.json"
    run("tools/dev/soak.py", "--quick", "--out", out)
    record = json.loads(out.read_text())
    assert record["interruptions"] == 3
    assert record["by_SIGTERM"] == 1
    assert record["weights_identical"]
    assert record["AP_identical"]
    assert record["times"] == 3
    assert record["lost"].startswith("nothing")
