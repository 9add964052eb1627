"""Writes down a machine: card, driver, cores, versions.

python benchmarks/machine.py --out machine.json
"""

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import torch

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the file.

    Raises:
        UserError: PyTorch finds no CUDA GPU.
    """
    args = parse_args(argv)
    if args.device == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"PyTorch {torch.__version__} finds no CUDA GPU on this machine; --dry-run runs the "
            "same parts on its CPU, to see that they do run"
        )
    card = _card() if args.device == "cuda" else {}
    found = origin("triton") | card | dict(cores=os.cpu_count())
    write_json(args.out, found)
    print(args.out)


def _card() -> dict[str, object]:
    free, total = torch.cuda.mem_get_info()
    found = dict(memory_gib=round(total / 2**30, 1), free_gib=round(free / 2**30, 1))
    found.update(capability=torch.cuda.get_device_capability(), cuda=torch.version.cuda)
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=driver_version,power.limit", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True)
        found["driver"] = done.stdout.strip()
    return found


if __name__ == "__main__":
    with user_errors():
        main()
