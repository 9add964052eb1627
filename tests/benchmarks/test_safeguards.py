"""benchmarks/safeguards.py: the clocks see the check, and the whole step."""

import json
import subprocess
import sys

from dyrelu_pose.paths import ROOT


def test_the_check_is_a_part_of_the_step(tmp_path):
    out = tmp_path / "safeguards.json"
    command = [sys.executable, "benchmarks/safeguards.py", "--steps", "3", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads(out.read_text())
    assert record["steps"] == 3
    assert 0 < record["check_microseconds"] < 1000 * record["step_milliseconds"]
