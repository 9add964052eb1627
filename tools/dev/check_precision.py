"""Train in bfloat16 and float16 on inputs that are far too large or small, and look for NaN.

    python tools/dev/check_precision.py --out results/reliability/precision.json  # 2,000 steps
    python tools/dev/check_precision.py --quick  # 50

A small network of DyReLU-A, -B and -C learns to find bright spots, under autocast and with a
GradScaler, on pictures times 1000 and times 0.001. No loss and no weight may become NaN or infinite
in any step. Steps that the GradScaler skips, as it does while it looks for its scale, are counted.
A network that does not compute in that type, or does not learn, would show nothing: an error.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.layers import DyReLUA, DyReLUB, DyReLUC
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

STEPS, QUICK = 2000, 50
SCALES = (1e3, 1e-3)
BATCH, SIZE = 8, 16  # pictures, and pixels of their sides


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} steps each")
    parser.add_argument("--out", type=Path, help="JSON file for what was found")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Train, write down what was seen, and exit with 1 if anything was not finite."""
    args = parse_args(argv)
    steps = QUICK if args.quick else STEPS
    where = "cuda" if torch.cuda.is_available() else "cpu"
    start = time.perf_counter()
    found = {
        f"{str(dtype).removeprefix('torch.')}, times {scale:g}": train(dtype, scale, steps, where)
        for dtype in (torch.bfloat16, torch.float16)
        for scale in SCALES
    }
    bad = sum(one["not_finite"] for one in found.values())
    record = dict(
        tried="training steps under bfloat16 and float16 autocast with a GradScaler, on inputs "
        "times 1000 and times 0.001",
        times=steps * len(found),
        lost=f"{bad} steps with values that are not finite" if bad else "nothing",
        **found,
        seconds=round(time.perf_counter() - start),
        seed=0,
        **origin(),
    )
    print(json.dumps(record, indent=1))
    if args.out:
        write_json(args.out, record)
    if bad:
        raise UserError("a training under autocast became NaN or infinite")
    for name, one in found.items():
        if not one["last_loss"] < one["first_loss"]:
            raise UserError(f"{name}: the network did not learn, so that nothing was tried")


def train(dtype: torch.dtype, scale: float, steps: int, where: str) -> dict[str, float]:
    """Train a network; return its losses and how many steps were not finite, or skipped."""
    torch.manual_seed(0)
    model = network().to(where)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler(where, enabled=dtype == torch.float16)
    losses, not_finite, skipped = [], 0, 0
    for _ in track(range(steps), f"{dtype}, times {scale:g}", transient=True):
        pictures, heatmaps = (tensor.to(where) for tensor in spots())
        with torch.autocast(where, dtype):
            found = model(pictures * scale)
        if found.dtype != dtype:
            raise UserError(f"autocast computes {found.dtype}, so that {dtype} was not tried")
        loss = F.mse_loss(found.float(), heatmaps)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        before = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
        skipped += scaler.get_scale() < before
        finite = loss.isfinite() and all(p.isfinite().all() for p in model.parameters())
        not_finite += not finite
        losses.append(loss.item())
    few = max(steps // 20, 1)
    first, last = sum(losses[:few]) / few, sum(losses[-few:]) / few
    return dict(first_loss=first, last_loss=last, not_finite=not_finite, skipped=skipped)


def network() -> nn.Sequential:
    """Return a network whose first activation sees its input without a norm."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        DyReLUA(channels=8),
        nn.Conv2d(8, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        DyReLUB(channels=16),
        nn.Conv2d(16, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        DyReLUC(channels=16),
        nn.Conv2d(16, 1, 1),
    )


def spots() -> tuple[Tensor, Tensor]:
    """Return pictures of a bright pixel in noise, and heatmaps of where it is, (N, 1, H, W)."""
    x, y = torch.randint(SIZE, (2, BATCH, 1, 1, 1))
    columns, rows = torch.arange(SIZE), torch.arange(SIZE)[:, None]
    squares = (columns - x).square() + (rows - y).square()
    return 3.0 * (squares == 0) + torch.randn(squares.shape), (-squares / 4).exp()


if __name__ == "__main__":
    with user_errors():
        main()
