"""The committed outcome of the compatibility matrix is that of all its combinations, and good."""

import ast
import csv
import re

from dyrelu_pose.paths import ROOT


def cases():
    """The names in `CASES`, read without nox, which only `make matrix` installs."""
    for node in ast.parse((ROOT / "noxfile.py").read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CASES":
            return [ast.literal_eval(key) for key in node.value.keys]


def test_every_combination_passed_or_says_why_it_was_not_run():
    with (ROOT / "results/compatibility.csv").open(newline="") as file:
        outcomes = {row["case"]: row["outcome"] for row in csv.DictReader(file)}
    assert list(outcomes) == cases()
    for case, outcome in outcomes.items():
        assert re.match(r"\d+ passed(?!.*failed)|not run.*: ", outcome), case
    assert outcomes["locked"].endswith("passed")
