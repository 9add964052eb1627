"""Draw the learning curves of one or more runs: training loss and validation AP.

python tools/plot_log.py work_dirs/dyrelu work_dirs/relu --out twins.png
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.records.files import check_output_file
from dyrelu_pose.visualization.learning_curve import draw_learning_curve
from dyrelu_pose.visualization.run_log import RunLog, read_run
from dyrelu_pose.visualization.style import WRITTEN


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("work_dirs", type=Path, nargs="+", metavar="WORK_DIR")
    parser.add_argument(
        "--out", type=Path, help="picture to write (learning_curve.png in the first WORK_DIR)"
    )
    parser.add_argument("--names", nargs="+", help="names of the runs (those of the folders)")
    parser.add_argument("--data", default="", help="name of the validation set, for the axis")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Read the logs, draw the chart and say where it is."""
    args = parse_args(argv)
    out = args.out or args.work_dirs[0] / "learning_curve.png"
    check_output_file(out, WRITTEN)
    runs = [read_run(work_dir) for work_dir in args.work_dirs]
    draw_learning_curve(named(runs, args.names) if args.names else runs, out, args.data)
    print(out)


def named(runs: list[RunLog], names: list[str]) -> list[RunLog]:
    """Return runs under other names.

    Raises:
        UserError: There are not as many names as runs.
    """
    if len(names) != len(runs):
        raise UserError(f"{len(runs)} work dirs need as many --names, not {len(names)}")
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)]


if __name__ == "__main__":
    with user_errors():
        main()
