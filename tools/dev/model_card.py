r"""Write down the facts of a published checkpoint, beside it, as NAME.json.

    python tools/test.py CONFIG CHECKPOINT --out metrics.json
    python tools/dev/model_card.py CONFIG CHECKPOINT metrics.json \
        --training results/coco_mini/NAME.json

Hash and size of the file, what tools/test.py measured, what the model costs, and the time of a
forward pass on the device at hand.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from dyrelu_pose.complexity import measure
from dyrelu_pose.complexity.timing import percentiles, time_in_turns
from dyrelu_pose.config.load import load_config
from dyrelu_pose.engine.metrics import read_metrics
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.inference.load import load_trained
from dyrelu_pose.models.input_size import input_size_of
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

REPEATS = 200  # of timing


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", help="config of the model")
    parser.add_argument("checkpoint", type=Path, help="published weights")
    parser.add_argument("metrics", type=Path, help="what tools/test.py --out wrote")
    parser.add_argument("--training", required=True, help="record of the training")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Gather the facts and write them."""
    args = parse_args(argv)
    cfg = load_config(args.config)
    try:
        content = args.checkpoint.read_bytes()
        training = json.loads(Path(args.training).read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(str(error)) from error
    model = load_trained(cfg, args.checkpoint)
    cost = measure(model, input_size_of(cfg))
    card = dict(
        config=args.config,
        metrics=read_metrics(args.metrics),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        parameters=cost.params,
        multiply_adds=cost.madds,
        latency_ms=latency(model, input_size_of(cfg)),
        training=args.training,
        seed=training["seed"],
        **origin(),
    )
    out = args.checkpoint.with_suffix(".json")
    write_json(out, card)
    print(out)


@torch.inference_mode()
def latency(model: torch.nn.Module, input_size: tuple[int, int]) -> float:
    """Return the median time in milliseconds of a forward pass on one image, without flip test."""
    width, height = input_size
    image = torch.randn(1, 3, height, width)
    model.eval()  # a statement: the eval() of MMPose's models may return None
    calls = {"model": lambda: model(image, None, mode="tensor")}
    return percentiles(time_in_turns(calls, REPEATS, seed=0)["model"])["median_ms"]


if __name__ == "__main__":
    with user_errors():
        main()
