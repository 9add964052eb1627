"""Two processes learn and find what one does."""

import json
import subprocess
import sys

from dyrelu_pose.paths import ROOT


def test_two_processes_do_what_one_does(tmp_path):
    out = tmp_path / "distributed.json"
    command = [sys.executable, "tools/dev/check_distributed.py", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads(out.read_text())
    assert record["lost"] == "nothing"
    found = record["2 processes"]
    assert 0 < found["errors"]["epoch"] < 1e-3
    assert found["persons_evaluated"] > 7
