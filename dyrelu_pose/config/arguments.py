"""The flags that the tools share, named as MMPose names them, and the config that they ask for."""

import argparse
import os
from pathlib import Path

from mmengine.config import Config, DictAction

from dyrelu_pose.engine import launch

from .load import load_config


def add_runner_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that training and testing have in common, as MMPose names them."""
    parser.add_argument("config", help="config file")
    parser.add_argument("--work-dir", help="folder for logs and checkpoints")
    parser.add_argument("--show-dir", help="folder, below the run's own, for drawn predictions")
    parser.add_argument("--show", action="store_true", help="show predictions in a window")
    parser.add_argument("--interval", type=int, default=1, help="draw every INTERVAL-th sample")
    parser.add_argument("--wait-time", type=float, default=1, help="seconds a window stays open")
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
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help=text
    )


def load_runner_config(args: argparse.Namespace) -> Config:
    """Return the config named by `args`, with the common flags merged in."""
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    cfg = load_config(args.config, args.cfg_options)
    cfg.launcher = args.launcher
    # In order of priority: command line, config, name of the config file.
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    launch.prepare(cfg)
    return cfg


def show_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn MMPose's visualisation hook on if `--show` or `--show-dir` asks for it."""
    if args.show or args.show_dir:
        cfg.default_hooks.visualization.update(
            enable=True,
            show=args.show,
            out_dir=args.show_dir,
            interval=args.interval,
            wait_time=args.wait_time,
        )
