"""A training that is killed and preempted ends like one that is left alone."""

import json
import subprocess
import sys

from dyrelu_pose.paths import ROOT


def test_interruptions_change_nothing(tmp_path):
    out = tmp_path / "soak.json"
    command = [sys.executable, "tools/dev/soak.py", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(out.read_text())
    assert record["interruptions"] == 3
    assert record["by_SIGTERM"] == 1
    assert record["weights_identical"]
    assert record["AP_identical"]
    assert record["times"] == 3
    assert record["lost"].startswith("nothing")
