"""Keep a finished run as one small JSON file: config, metrics, curves, versions, device, seed.

    python tools/test.py CONFIG WORK_DIR/epoch_14.pth --out metrics.json
    python tools/dev/record_run.py CONFIG WORK_DIR metrics.json --out results/coco_mini/NAME.json

Only numbers go in, no weights and no pictures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.registry import init_default_scope

from dyrelu_pose.config.load import load_config
from dyrelu_pose.engine.metrics import read_metrics
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin
from dyrelu_pose.visualization.run_log import read_run, rounded


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Keep a finished run as one small JSON file")
    parser.add_argument("config", help="config file of the run")
    parser.add_argument("work_dir", type=Path, help="work directory of the run")
    parser.add_argument("metrics", type=Path, help="what tools/test.py --out wrote")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--note", default="", help="what a reader has to know about this run")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Gather the facts and write them."""
    args = parse_args(argv)
    cfg = load_config(args.config)
    try:
        run = read_run(args.work_dir)
    except (OSError, ValueError) as error:
        raise UserError(str(error)) from error
    record = dict(
        name=Path(args.config).stem,
        config=args.config,
        training=f"python tools/train.py {args.config}",
        metrics=read_metrics(args.metrics),
        epochs=cfg.train_cfg.max_epochs,
        seed=cfg.randomness.seed,
        parameters=count_parameters(cfg),
        **origin(),
        note=args.note,
        curve=dict(unit=run.unit, loss=rounded(run.loss), ap=rounded(run.ap)),
    )
    write_json(args.out, record)
    print(args.out)


def count_parameters(cfg) -> int:
    """Build the model of a config and count its parameters."""
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import MODELS

    return sum(parameter.numel() for parameter in MODELS.build(cfg.model).parameters())


if __name__ == "__main__":
    with user_errors():
        main()
