"""Train a pose model: `python tools/train.py CONFIG`. The flags are those of MMPose's tool."""

import argparse
from collections.abc import Sequence

from mmengine.registry import RUNNERS

from dyrelu_pose.config.arguments import (
    add_runner_arguments,
    entry_for,
    load_runner_config,
    show_predictions,
)
from dyrelu_pose.config.check import check_run
from dyrelu_pose.config.errors import expect, named_parts
from dyrelu_pose.config.options import named_options
from dyrelu_pose.engine import add_hooks, add_safeguards, latest_checkpoint
from dyrelu_pose.errors import user_errors


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train a pose model")
    add_runner_arguments(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="resume from CHECKPOINT, or from the latest one in the work directory",
    )
    parser.add_argument("--amp", action="store_true", help="train with automatic mixed precision")
    parser.add_argument("--no-validate", action="store_true", help="do not evaluate while training")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate by the actual over the config's base batch size",
    )
    parser.add_argument(
        "--cuda-graph", action="store_true", help="capture the step once and replay it, on a GPU"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    args = parse_args(argv)
    cfg = load_runner_config(args)
    splits = ["train"] if args.no_validate else ["train", "val"]
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        wrapper = expect(cfg.get("optim_wrapper"), dict, "optim_wrapper")
        wrapper.update(type="AmpOptimWrapper")
        wrapper.setdefault("loss_scale", "dynamic")
    if args.resume:
        cfg.resume = True
        cfg.load_from = latest_checkpoint(cfg.work_dir) if args.resume == "auto" else args.resume
    if args.auto_scale_lr:
        entry_for("--auto-scale-lr", cfg, "auto_scale_lr").update(enable=True)
    if args.cuda_graph:
        add_hooks(cfg, "CudaGraphHook")
    show_predictions(cfg, args)
    with named_options(cfg, args.cfg_options), named_parts(cfg):
        check_run(cfg, splits)
        add_safeguards(cfg)
        # Runner, if the config has no runner_type. The hint of `build` knows dicts only.
        RUNNERS.build(cfg).train()  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    with user_errors():
        main()
