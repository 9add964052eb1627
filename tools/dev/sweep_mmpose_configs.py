"""Place DyReLU in every 2D config that MMPose ships: `python tools/dev/sweep_mmpose_configs.py`.

DyReLU-B goes into the backbone, DyReLU-C into the head. One line per config in a CSV: status,
number of sites, and the reason where there are none. Models without weights, no network; minutes.
"""

import argparse
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

from mmengine.registry import init_default_scope
from rich.progress import track

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.models.sweep import summarize, sweep, wheel_configs, write_csv


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Place DyReLU in MMPose's 2D configs")
    parser.add_argument("--out", type=Path, default=Path("results/coverage.csv"), help="CSV file")
    parser.add_argument(
        "--pattern", default="*", help="configs to try, such as '*hrnet*' (default: all)"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Sweep, write the CSV, and print how many configs had which result."""
    args = parse_args(argv)
    init_default_scope("mmpose")
    configs = wheel_configs(args.pattern)
    if not configs:
        raise UserError(f"no 2D config of MMPose matches --pattern {args.pattern!r}")
    warnings.simplefilter("ignore")  # of hundreds of models, each with something to deprecate
    logging.disable(logging.WARNING)
    rows = list(track(sweep(configs), description="configs", total=len(configs)))
    write_csv(rows, args.out)
    print(f"{summarize(rows)}\nin {args.out}")


if __name__ == "__main__":
    with user_errors():
        main()
