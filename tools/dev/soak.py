"""Interrupt a training again and again, and check that it ends like one that was left alone.

    python tools/dev/soak.py --out results/reliability/soak.json    # 20 interruptions, some minutes
    python tools/dev/soak.py --quick                                # 3

A small model trains on drawn people. It gets SIGKILL or, every third time, SIGTERM at a random
iteration, and is started again with --resume. In the end its weights, the loss of every iteration
and the keypoints that it finds are compared, bit for bit, with those of the same training without
interruption. They must be able to differ: a loss that stays as it is, or the same keypoints for
all persons, would be an error.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.progress import track

from dyrelu_pose.config.arguments import at_least_one, at_least_zero
from dyrelu_pose.engine.preemption import EXIT_CODE
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin
from dyrelu_pose.visualization.run_log import read_run

CONFIG = "configs/demo/dyrelu_resnet18.py"
PEOPLE, BATCH = 24, 4  # of an epoch
COMPARED = ("weights", "losses", "keypoints")
NOTHING = "nothing: weights, losses and keypoints equal an uninterrupted training's bit for bit"
STEP = re.compile(r"Epoch\(train\) +\[(\d+)\]\[ *(\d+)/ *(\d+)\]")


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--interruptions", type=at_least_one, default=20, help="how many (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="3 interruptions")
    parser.add_argument(
        "--seed", type=at_least_zero, default=0, help="of the iterations (%(default)s)"
    )
    parser.add_argument("--out", type=Path, help="JSON file for what was found")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Interrupt, compare, and exit with 1 if anything differs."""
    args = parse_args(argv)
    interruptions = 3 if args.quick else args.interruptions
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        epochs = interruptions // 2 + 2
        soak = Soak(Path(folder), epochs)
        soak.train("whole")
        found = soak.interrupt(interruptions, random.Random(args.seed))
        runs = (Path(folder, name) for name in ("interrupted", "whole"))
        found.update(compare(*runs, last=f"epoch_{epochs}.pth"))
    record = dict(
        config=CONFIG,
        tried="a training killed, every third time preempted, at a random iteration, and resumed",
        times=found["interruptions"],
        lost=lost(found),
        **found,
        seconds=round(time.perf_counter() - start),
        seed=args.seed,
        **origin(),
    )
    print(json.dumps(record, indent=1))
    if args.out:
        write_json(args.out, record)
    if record["lost"] != NOTHING:
        raise UserError("the interrupted training ended elsewhere")


def lost(found: dict) -> str:
    """Say what the interruptions changed."""
    return ", ".join(what for what in COMPARED if not found[f"{what}_identical"]) or NOTHING


class Soak:
    """Trainings on drawn people in one folder.

    Args:
        folder: Where data and runs go.
        epochs: Of each training.
    """

    def __init__(self, folder: Path, epochs: int) -> None:
        self.folder, self.epochs = folder, epochs
        data = folder / "people"
        people = ["--train", PEOPLE, "--val", 8, "--workers", 1]
        subprocess.run(
            [sys.executable, "tools/make_synthetic_coco.py", data, *map(str, people)],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        annotations = f"{data}/annotations/person_keypoints_val.json"
        self.options = [
            *(f"{split}_dataloader.dataset.data_root={data}/" for split in ("train", "val")),
            f"val_evaluator.ann_file={annotations}",
            f"train_dataloader.batch_size={BATCH}",
            f"train_cfg.max_epochs={epochs}",
            f"train_cfg.val_interval={epochs}",
            "default_hooks.checkpoint.interval=1",
            "default_hooks.checkpoint.max_keep_ckpts=1",
            "default_hooks.logger.interval=1",
            "randomness.deterministic=True",
        ]

    def start(self, name: str) -> subprocess.Popen:
        """Start or resume a training."""
        return subprocess.Popen(
            [sys.executable, "-u", "tools/train.py", CONFIG, "--work-dir", self.folder / name,
             "--resume", "--cfg-options", *self.options,
             f"val_evaluator.outfile_prefix={self.folder / name}/found"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def train(self, name: str) -> None:
        """Train to the end."""
        process = self.start(name)
        output, _ = process.communicate()
        if process.returncode:
            raise UserError(f"the training failed:\n{output[-2000:]}")

    def interrupt(self, times: int, chance: random.Random) -> dict:
        """Train under interruptions; return their number and the iterations that ran twice."""
        kinds = [signal.SIGTERM if i % 3 == 2 else signal.SIGKILL for i in range(times)]
        furthest = again = stopped = 0
        for kind in track(kinds, "interruptions"):
            process = self.start("interrupted")
            steps = chance.randint(1, PEOPLE // BATCH + 2)  # some die before a checkpoint
            assert process.stdout is not None  # a pipe
            for line in process.stdout:
                if step := STEP.search(line):
                    epoch, inner, length = map(int, step.groups())
                    iteration = (epoch - 1) * length + inner
                    again += iteration <= furthest
                    furthest = max(furthest, iteration)
                    steps -= 1
                    if steps == 0:
                        time.sleep(chance.random() * 0.3)  # anywhere within an iteration
                        process.send_signal(kind)
            code = process.wait()
            if code not in (-signal.SIGKILL, EXIT_CODE, 0):
                raise UserError(f"a resumed training failed with status {code}")
            stopped += code != 0
        self.train("interrupted")
        return dict(
            interruptions=stopped,
            by_SIGTERM=kinds.count(signal.SIGTERM),
            epochs=self.epochs,
            iterations=self.epochs * PEOPLE // BATCH,
            iterations_repeated=again,
        )


def compare(interrupted: Path, whole: Path, last: str) -> dict:
    """Compare what came out of two trainings.

    Args:
        interrupted: Work directory of the one.
        whole: Work directory of the other.
        last: Name of the checkpoint of their last epoch.

    Raises:
        UserError: It would be the same of any two.
    """
    ours, theirs = (
        torch.load(run / last, weights_only=True)["state_dict"] for run in (interrupted, whole)
    )
    losses = [read_run(run).loss for run in (interrupted, whole)]
    keypoints = [keypoints_of(run) for run in (interrupted, whole)]
    for what, values in (("losses", losses[1]), ("keypoints", keypoints[1])):
        if len({str(value) for _, value in values}) < 2:
            raise UserError(f"there is nothing to compare: the {what} are all the same")
    return dict(
        weights_identical=ours.keys() == theirs.keys()
        and all(torch.equal(ours[key], theirs[key]) for key in theirs),
        losses_identical=losses[0] == losses[1],
        keypoints_identical=keypoints[0] == keypoints[1],
        first_and_last_loss=[losses[1][0][1], losses[1][-1][1]],
        persons=len(keypoints[1]),
    )


def keypoints_of(run: Path) -> list[tuple[int, list[float]]]:
    """Return (image, keypoints with scores) of the persons that a run evaluated last."""
    found = json.loads((run / "found.keypoints.json").read_bytes())
    return [(person["image_id"], person["keypoints"]) for person in found]


if __name__ == "__main__":
    with user_errors():
        main()
