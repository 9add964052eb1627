"""Run the tests of one kind of damage and keep how many cases there were, and how many failed.

    python tools/dev/record_tests.py damaged_data  # results/reliability/damaged_data.json

Drawn cases (Hypothesis) count one by one.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

KINDS = {
    "damaged_data": (
        "pictures and annotations damaged: training skips and counts them, or one error names "
        "file and record",
        ["tests/datasets"],
    ),
    "random_options": (
        "layers, placement rules and configs with random options, shapes, patterns and edits",
        ["tests/properties"],
    ),
    "untrusted_files": (
        "checkpoints with code in them wherever one is loaded, JSON and YAML configs that try to "
        "run code, a closed network",
        ["tests/test_trust.py", "tests/config/test_safe.py"],
    ),
}
DRAWN = re.compile(r"(\d+) passing, (\d+) failing")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", choices=KINDS, help="which tests")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run, count and write."""
    kind = parse_args(argv).kind
    tried, paths = KINDS[kind]
    start = time.perf_counter()
    passed, failed = run(paths)
    record = dict(
        tried=tried,
        times=passed + failed,
        lost=f"{failed} failed" if failed else "nothing",
        tests=paths,
        seconds=round(time.perf_counter() - start),
        **origin("pytest", "hypothesis"),
    )
    out = ROOT / f"results/reliability/{kind}.json"
    write_json(out, record)
    print(out.relative_to(ROOT), f"{passed} passed, {failed} failed", sep=": ")


def run(paths: list[str]) -> tuple[int, int]:
    """Return how many cases passed and failed.

    Raises:
        UserError: Pytest ran no test.
    """
    command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics", *paths]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    tests = {name: int(number) for number, name in re.findall(r"(\d+) (passed|failed)", output)}
    if not tests:
        raise UserError(f"no test ran:\n{output[-2000:]}")
    drawn = [(int(passing), int(failing)) for passing, failing in DRAWN.findall(output)]
    whole = sum(failing == 0 for _, failing in drawn)  # tests, which their cases stand in for
    passed = tests.get("passed", 0) - whole + sum(passing for passing, _ in drawn)
    return passed, tests.get("failed", 0)


if __name__ == "__main__":
    with user_errors():
        main()
