"""Print what models cost: `python tools/complexity.py CONFIG...`.

Parameters, multiply-adds of a forward pass, and memory that one image of a batch adds to what is
kept for the backward pass, in float32. A config with DyReLU rules is listed below its twin, the
same model without them, and compared with it, in per cent; any other is compared with the first
row. Convolutions and matrix products count as multiply-adds; norms, fixed activations and pooling
are free, as in papers. All that DyReLU, SE + ReLU and Maxout do counts.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from rich.console import Console
from rich.progress import track

from dyrelu_pose.complexity import Row, format_rows, measure, write_rows
from dyrelu_pose.config.arguments import add_cfg_options
from dyrelu_pose.config.errors import named_parts
from dyrelu_pose.config.load import load_model_config
from dyrelu_pose.errors import user_errors
from dyrelu_pose.models.estimator import build, relu_twin
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import check_output_file


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Print what the models of configs cost")
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help="config file")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="file to write the rows to")
    add_cfg_options(
        parser, "override entries of every config, such as model.dyrelu.0.act.reduction=16"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the models, print the table and write the file."""
    args = parse_args(argv)
    if args.csv:
        check_output_file(args.csv)
    rows: list[Row] = []
    for config in track(args.configs, "measuring", console=Console(stderr=True), transient=True):
        rows += rows_of(config, args.cfg_options, rows[0] if rows else None)
    print(format_rows(rows))
    if args.csv:
        write_rows(args.csv, rows)


def rows_of(config: str, options: dict | None, first: Row | None) -> list[Row]:
    """Measure the model of a config, and that of its twin if it has one.

    Args:
        config: Path of the config.
        options: Entries to override.
        first: What to compare a config without a twin with, if anything.
    """
    cfg = load_model_config(config, options)
    size = input_size_of(cfg)

    def row(name: str, cfg: Config, baseline: Row | None) -> Row:
        with named_parts(cfg):
            model, _ = build(cfg)
        return Row(name, size, measure(model, size), baseline)

    without = relu_twin(cfg)
    if without is None:
        return [row(config, cfg, first)]
    twin = row(f"{config} without rules", without, None)
    return [twin, row(config, cfg, twin)]


if __name__ == "__main__":
    with user_errors():
        main()
