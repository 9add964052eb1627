"""Keep the weights of a checkpoint and nothing else: `python tools/publish_model.py IN OUT`.

The optimizer, the schedules and the logs stay behind; of a run with an EMA the averaged weights are
taken, as MMEngine saves them. `--half` stores float16, which `tools/test.py` and `init_cfg` read
like any other: parameters are float32 again once they are in a model.
"""

import argparse
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.inference.load import check_finite
from dyrelu_pose.records.files import check_output_file, write_bytes

LARGEST_HALF = torch.finfo(torch.float16).max


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Keep the weights of a checkpoint, nothing else")
    parser.add_argument("in_file", metavar="IN", help="checkpoint of a training")
    parser.add_argument("out_file", metavar="OUT", type=Path, help="file to write")
    parser.add_argument("--half", action="store_true", help="store float16")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the file and print its size and its hash."""
    args = parse_args(argv)
    check_output_file(args.out_file)
    if args.out_file.exists() and args.out_file.resolve() == Path(args.in_file).resolve():
        raise UserError(
            f"{args.out_file} is the checkpoint itself, whose optimizer and schedules would be "
            "lost: name another file"
        )
    checkpoint = CheckpointLoader.load_checkpoint(args.in_file, map_location="cpu")
    weights = checkpoint.get("state_dict", checkpoint)
    check_weights(weights, args.in_file)
    if args.half:
        weights = {name: half(name, tensor) for name, tensor in weights.items()}
    with io.BytesIO() as buffer:  # torch does not say of a file that the disk is full
        torch.save(dict(state_dict=weights), buffer)
        content = buffer.getvalue()
    write_bytes(args.out_file, content)
    digest = hashlib.sha256(content).hexdigest()
    print(f"{args.out_file}: {len(content) / 1e6:.1f} MB, sha256 {digest}")


def check_weights(weights: dict, in_file: str) -> None:
    """Check that a state dict holds tensors, all of them finite.

    Raises:
        UserError: It is empty, or has something else in it, such as an optimizer, NaN or infinity.
    """
    if not weights:
        raise UserError(f"checkpoint {in_file} holds no weights: its state dict is empty")
    for name, value in weights.items():
        if not isinstance(value, Tensor):
            raise UserError(
                f"checkpoint {in_file} is no state dict: {name} is of type {type(value).__name__}, "
                "not a tensor; save the weights in it alone, torch.save(dict(state_dict=...), ...)"
            )
    check_finite(weights, in_file)


def half(name: str, tensor: Tensor) -> Tensor:
    """Return a tensor in float16 if it has floating values.

    Raises:
        UserError: A value is beyond what float16 holds.
    """
    if not tensor.is_floating_point():
        return tensor
    if tensor.numel() and tensor.abs().max() > LARGEST_HALF:
        raise UserError(f"{name} has values beyond {LARGEST_HALF:g}: publish without --half")
    return tensor.half()


if __name__ == "__main__":
    with user_errors():
        main()
