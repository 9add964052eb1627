"""Draw a small data set of articulated figures in the COCO layout: the same seed, the same bytes.

python tools/make_synthetic_coco.py data/synthetic --train 2000 --val 200 --seed 0
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from dyrelu_pose.config.arguments import at_least_one
from dyrelu_pose.datasets.picture_array import write_array
from dyrelu_pose.errors import user_errors
from dyrelu_pose.prepare.people.write import Parameters, annotation_file, make_dataset
from dyrelu_pose.prepare.pool import progress


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder to write")
    parser.add_argument("--train", type=int, default=2000, help="training pictures (%(default)s)")
    parser.add_argument("--val", type=int, default=200, help="validation pictures (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same bytes (%(default)s)")
    parser.add_argument(
        "--size", type=int, nargs=2, default=(256, 256), metavar=("WIDTH", "HEIGHT"),
        help="pixels (256 256)",
    )  # fmt: skip
    parser.add_argument(
        "--workers",
        type=at_least_one,
        default=os.cpu_count(),
        help="processes (one per core: %(default)s)",
    )
    parser.add_argument(
        "--array",
        action="store_true",
        help="also decode the training pictures into one array, for CropArrayDataset",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a data set of other parameters in this folder"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the data set and say where it is."""
    args = parse_args(argv)
    start = time.perf_counter()
    parameters = Parameters(args.train, args.val, args.seed, *args.size)
    written = make_dataset(args.out, parameters, args.workers, args.force, progress)
    if written:
        seconds = time.perf_counter() - start
        print(f"{args.out}: {args.train} + {args.val} pictures in {seconds:.0f} s")
    else:
        print(f"{args.out}: already there, nothing to do")
    if args.array:
        print(write_array(annotation_file(args.out, "train"), args.out / "train", progress))


if __name__ == "__main__":
    with user_errors():
        main()
