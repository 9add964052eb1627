"""Evaluate a pose model: `python tools/test.py CONFIG CHECKPOINT`, with the flags of MMPose.

CHECKPOINT may also be a file of tools/export_onnx.py: ONNX Runtime then computes the network, or
OpenVINO with --runtime openvino, on the CPU, and everything around it, such as the flip test, stays
as it is.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from dyrelu_pose.compat.fit import load_whole
from dyrelu_pose.config.arguments import (
    add_runner_arguments,
    entry_for,
    load_runner_config,
    show_predictions,
)
from dyrelu_pose.config.check import check_run
from dyrelu_pose.config.errors import ConfigError, named_parts
from dyrelu_pose.config.evaluators import is_plain
from dyrelu_pose.config.options import named_options
from dyrelu_pose.config.parts import metrics
from dyrelu_pose.config.weights import check_whole
from dyrelu_pose.engine.launch import unwrapped
from dyrelu_pose.engine.metrics import SaveMetricsHook
from dyrelu_pose.errors import user_errors
from dyrelu_pose.export.evaluate import compute_by_file
from dyrelu_pose.export.files import OnnxFile
from dyrelu_pose.export.runtimes import RUNTIMES
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import check_output_file


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Evaluate a pose model")
    add_runner_arguments(parser)
    parser.add_argument("checkpoint", help="checkpoint file, or an exported .onnx file")
    parser.add_argument(
        "--out",
        type=Path,
        help="file to save the metrics in (JSON or YAML); its key `origin` says where they come "
        "from: command, device, versions, revision and date",
    )
    parser.add_argument("--dump", help="pickle file to save all predictions in")
    parser.add_argument(
        "--badcase", action="store_true", help="save the worst predictions (BadCaseAnalysisHook)"
    )
    parser.add_argument(
        "--runtime", choices=RUNTIMES, help="what computes an .onnx file (onnxruntime)"
    )
    args = parser.parse_args(argv)
    if args.runtime and not args.checkpoint.endswith(".onnx"):
        parser.error(f"--runtime computes .onnx files, and {args.checkpoint} is a checkpoint")
    return args


def dump_results(cfg: Config, path: str) -> None:
    """Add the metric that saves all predictions.

    Raises:
        ConfigError: The evaluator is of a class that gives its metrics some of the samples.
    """
    if not is_plain(cfg.test_evaluator):
        raise ConfigError(
            f"--dump adds a metric, and test_evaluator of the config is {cfg.test_evaluator.type}, "
            "which has one of each data set: leave --dump out, or test one data set at a time"
        )
    there_are = [metric for _, metric in metrics(cfg, "test")]
    cfg.test_evaluator = [*there_are, dict(type="DumpResults", out_file_path=path)]


def main(argv: Sequence[str] | None = None) -> None:
    """Evaluate as the command line says."""
    args = parse_args(argv)
    if args.out:
        check_output_file(args.out, (".json", ".yaml", ".yml"))
    if args.dump:
        check_output_file(args.dump, (".pkl", ".pickle"))
    cfg = load_runner_config(args)
    exported = None
    if args.checkpoint.endswith(".onnx"):
        runtime = args.runtime or "onnxruntime"
        exported = OnnxFile(args.checkpoint, torch.get_num_threads(), runtime)
    else:
        cfg.load_from = args.checkpoint
    show_predictions(cfg, args)
    if args.badcase:
        entry_for("--badcase", cfg, "default_hooks.badcase").update(enable=True)
    if args.dump:
        dump_results(cfg, args.dump)
    with named_options(cfg, args.cfg_options), named_parts(cfg):
        check_run(cfg, ["test"])
        if not exported:
            check_whole(cfg, args.checkpoint, args.config)
        # The runner would go on without what does not fit, or load the last checkpoint instead.
        cfg.load_from, cfg.resume = None, False
        runner = Runner.from_cfg(cfg)
        if exported:
            compute_by_file(unwrapped(runner.model), exported, input_size_of(cfg))
        else:
            load_whole(unwrapped(runner.model), args.checkpoint, args.config)
        if args.out:
            runner.register_hook(SaveMetricsHook(args.out))
        runner.test()


if __name__ == "__main__":
    with user_errors():
        main()
