"""benchmarks/safeguards.py: the clocks see the check, and the whole step."""

import json

from tests.scripts import run


def test_the_check_is_a_part_of_the_step(tmp_path):
    out = tmp_path / "safeguards.json"
    run("benchmarks/safeguards.py", "--steps", 3, "--out", out)
    record = json.loads(out.read_text())
    assert record["steps"] == 3
    assert 0 < record["check_microseconds"] < 1000 * record["step_milliseconds"]
