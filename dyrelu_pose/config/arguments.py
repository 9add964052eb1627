"""The flags that the tools share, named as MMPose names them, and the config that they ask for."""

import argparse
import functools
import math
import os
from pathlib import Path

from mmengine.config import Config

from dyrelu_pose.engine import launch
from dyrelu_pose.records.files import check_output_folder

from .cfg_options import CfgOptions
from .errors import ConfigError, expect
from .load import load_config


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that training and testing have in common, as MMPose names them."""
    parser.add_argument("config", help="config file")
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument("--show-dir", help="folder, below the run's own, for drawn predictions")
    parser.add_argument("--show", action="store_true", help="show predictions in a window")
    parser.add_argument(
        "--interval", type=at_least_one, default=1, help="draw every INTERVAL-th sample"
    )
    parser.add_argument("--wait-time", type=finite, default=1, help="seconds a window stays open")
    add_cfg_options(parser, "override entries of the config, such as train_cfg.max_epochs=10")
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="job launcher",
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help=argparse.SUPPRESS)


def add_cfg_options(parser: argparse.ArgumentParser, text: str) -> None:
    """Add MMPose's `--cfg-options`, with its help; parsed it is a dict, or None if not given."""
    parser.add_argument(
        "--cfg-options", nargs="+", action=CfgOptions, metavar="KEY=VALUE", help=text
    )


def add_detector_arguments(parser: argparse.ArgumentParser, bbox_thr: float, why: str = "") -> None:
    """Add the options of a person detector; `why` explains the default of `--bbox-thr`."""
    parser.add_argument(
        "--bbox-thr", type=share, default=bbox_thr, help=f"lowest score of a box (%(default)s{why})"
    )
    parser.add_argument(
        "--nms-thr", type=share, default=0.5, help="largest IoU of two boxes (%(default)s)"
    )
    parser.add_argument(
        "--max-people",
        type=at_least_one,
        help="most people in a picture, those with the highest scores (no limit)",
    )


def share(text: str) -> float:
    """Return the number from 0 to 1 that an argument is; argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    value = _float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def finite(text: str) -> float:
    """Return the number that an argument is, neither NaN nor infinite; argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    value = _float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not a finite number")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def at_least_one(text: str) -> int:
    """Return the whole number from 1 that an argument is; argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    return _whole(text, 1)


def at_least_zero(text: str) -> int:
    """Return the whole number from 0 that an argument is, such as a seed; argparse's `type`.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    return _whole(text, 0)


def _whole(text: str, lowest: int) -> int:
    if not text.isdecimal() or int(text) < lowest:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least {lowest}")
    return int(text)


def load_runner_config(args: argparse.Namespace) -> Config:
    """Return the config named by `args`, with the common flags merged in."""
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    # In order of priority: command line, config, name of the config file.
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    check_output_folder(cfg.work_dir)
    launch.prepare(cfg)
    return cfg


def entry_for(flag: str, cfg: Config, key: str) -> dict:
    """Return the entry of a config that a flag sets something in.

    Raises:
        ConfigError: There is none.
    """
    entry = functools.reduce(lambda part, name: part.get(name) or {}, key.split("."), cfg)
    if not entry:
        raise ConfigError(
            f"{flag} sets something in {key} of the config, and there is none: give it one, as "
            "MMPose's configs have it"
        )
    return expect(entry, dict, key)


def show_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn MMPose's visualisation hook on if `--show` or `--show-dir` asks for it."""
    if args.show or args.show_dir:
        flag = "--show-dir" if args.show_dir else "--show"
        entry_for(flag, cfg, "default_hooks.visualization").update(
            enable=True,
            show=args.show,
            out_dir=args.show_dir,
            interval=args.interval,
            wait_time=args.wait_time,
        )
