"""Train with several processes and with one on the same batches, and compare what comes out.

    python tools/dev/check_distributed.py --out results/reliability/distributed.json
    python tools/dev/check_distributed.py --quick  # 2 processes, no deaths, no FSDP

A small DyReLU model with group normalisation, whose statistics do not depend on how a batch is cut,
trains on drawn people by SGD. The weights after one step (their change is the gradient) and after
an epoch must agree with those of one process, to 1e-5 and 1e-3 of the change in the epoch, in the
Euclidean norm: the next steps make more of what rounding did in the first. Each person of the
validation set must be found once, its keypoints with the same scores. What cannot differ shows
nothing, and is an error: no change in the epoch, one score for all. The same holds for weights
that the processes share out (FSDP). Then one process of two is killed: the job must end within a
minute, and resume. Where DYRELU_DATA names the data, the published model is evaluated as well, on
COCO-mini: the AP of two and of four processes is that of one. Runs on the CPU, over gloo.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from dyrelu_pose.engine.metrics import read_metrics
from dyrelu_pose.errors import UserError, user_errors
from dyrelu_pose.paths import ROOT, SHIPPED_CHECKPOINT, SHIPPED_CONFIG
from dyrelu_pose.records.files import write_json
from dyrelu_pose.records.origin import origin

BATCH, PEOPLE, VALIDATED = 8, 24, 7  # processes divide the first two, so that none is repeated
TOLERANCES = dict(step=1e-5, epoch=1e-3)  # of the change of the weights in an epoch
SCORES = 1e-3  # of the largest score
AP = 1e-4  # of 1
AP_OF_TRAINED = "COCO-mini AP by 1, 2 and 4 processes"
SECONDS = 60  # until a job has ended of which a process died
FSDP = ("runner_type=FlexibleRunner", "strategy.type=FSDPStrategy")
STEP = f"train_dataloader.dataset.indices={BATCH}"
CONFIG = """
_base_ = "{root}/configs/demo/dyrelu_resnet18.py"
norm = dict(type="GN", num_groups=8)
model = dict(
    backbone=dict(norm_cfg=norm, norm_eval=False),
    head=dict(norm_cfg=norm, loss=dict(_delete_=True, type="KeypointMSELoss")),
)
optim_wrapper = dict(_delete_=True, type="OptimWrapper", optimizer=dict(type="SGD", lr=0.01))
param_scheduler = None
custom_hooks = []
train_pipeline = _base_.val_pipeline[:-1] + [
    dict(type="GenerateTarget", encoder=_base_.codec),
    dict(type="PackPoseInputs"),
]
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    loader, dataset=dict(data_root="{data}/", pipeline=train_pipeline, indices={people})
)
val_dataloader = dict(loader, batch_size=2, dataset=dict(data_root="{data}/"))
val_evaluator = dict(ann_file="{data}/annotations/person_keypoints_val.json")
default_hooks = dict(
    checkpoint=dict(_delete_=True, type="CheckpointHook", interval=1), logger=dict(interval=1)
)
"""


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="2 processes, without FSDP, and kill none"
    )
    parser.add_argument("--out", type=Path, help="JSON file for what was found")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare, write down, and exit with 1 if anything differs."""
    args = parse_args(argv)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(Path(folder))
        counts = (2,) if args.quick else (2, 4)
        found = {f"{count} processes": jobs.compare(count) for count in counts}
        if not args.quick:
            found["2 processes, FSDP"] = jobs.compare(2, sharded=True)
            found["a killed process of 2"] = jobs.kill()
            if "DYRELU_DATA" in os.environ:
                found[AP_OF_TRAINED] = jobs.evaluate((1, 2, 4))
    faults = [f"{name}: {fault}" for name, one in found.items() for fault in one["faults"]]
    record = dict(
        tried="training by 2 and by 4 processes, and by 2 with FSDP, against one on the same "
        "batches: weights after a step and an epoch, evaluation; "
        + ("AP of a trained model; " if AP_OF_TRAINED in found else "")
        + "a process killed, and the job resumed",
        times=len(found),
        lost="; ".join(faults) or "nothing",
        **found,
        seconds=round(time.perf_counter() - start),
        seed=0,
        **origin(),
    )
    print(json.dumps(record, indent=1))
    if args.out:
        write_json(args.out, record)
    if faults:
        raise UserError("several processes do not do what one does")


class Jobs:
    """Trainings on drawn people in one folder.

    Args:
        folder: Where data and runs go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        people = ["--train", PEOPLE, "--val", VALIDATED, "--workers", 1]
        subprocess.run(
            [sys.executable, "tools/make_synthetic_coco.py", folder / "people", *map(str, people)],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.config = folder / "config.py"
        text = CONFIG.format(root=ROOT, data=folder / "people", people=PEOPLE)
        self.config.write_text(text, encoding="utf-8")
        self.step = self.train("one-step", 1, STEP)
        self.epoch = self.train("one", 1)
        self.change = distance(self.step, self.epoch)
        if not self.change > 0:
            raise UserError("there is nothing to compare: the epoch does not change the weights")

    def start(self, name: str, processes: int, *options: str) -> subprocess.Popen:
        """Start or resume a training of one epoch, or of what the options say."""
        return subprocess.Popen(
            [sys.executable, *launcher(processes), "tools/train.py", self.config,
             "--launcher", "pytorch", "--work-dir", self.folder / name, "--resume", "--cfg-options",
             f"train_dataloader.batch_size={BATCH // processes}",
             f"val_evaluator.outfile_prefix={self.folder / name}/found",
             "train_cfg.max_epochs=1", "train_cfg.val_interval=1", *options],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def train(self, name: str, processes: int, *options: str) -> dict[str, Tensor]:
        """Train, and return the weights."""
        process = self.start(name, processes, *options)
        output, _ = process.communicate()
        if process.returncode:
            raise UserError(f"the training '{name}' failed:\n{output[-3000:]}")
        return torch.load(self.folder / name / "epoch_1.pth", weights_only=True)["state_dict"]

    def compare(self, processes: int, sharded: bool = False) -> dict:
        """Compare a training by several processes, which may share its weights, with one by one."""
        name, options = (f"{processes}-FSDP", FSDP) if sharded else (f"{processes}", ())
        step = self.train(f"{name}-step", processes, STEP, *options)
        epoch = self.train(name, processes, *options)
        pairs = dict(step=(step, self.step), epoch=(epoch, self.epoch))
        errors = {what: distance(*weights) / self.change for what, weights in pairs.items()}
        faults = [  # not a number is a fault, too
            f"weights after one {what} differ"
            for what, error in errors.items()
            if not error <= TOLERANCES[what]
        ]
        scores, expected = self._scores(name), self._scores("one")
        if [image for image, _ in scores] != [image for image, _ in expected]:
            faults.append("other persons were evaluated")
        else:
            ours, theirs = ([values for _, values in found] for found in (scores, expected))
            errors["scores"] = difference(ours, theirs)
            if not errors["scores"] <= SCORES:
                faults.append("the scores differ")
        return dict(errors=errors, persons_evaluated=len(scores), faults=faults)

    def kill(self) -> dict:
        """Kill a process of two in the second epoch, wait for the end, and resume."""
        epochs = "train_cfg.max_epochs=30"
        job = self.start("killed", 2, epochs)
        output = []
        assert job.stdout is not None  # a pipe
        for line in job.stdout:
            output.append(line)
            if "Epoch(train)" in line and " [2]" in line:
                break
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_bytes().split()
        os.kill(int(children[1]), signal.SIGKILL)
        start = time.perf_counter()
        output += job.communicate()[0].splitlines(keepends=True)
        seconds = round(time.perf_counter() - start, 1)
        faults = []
        if job.returncode == 0 or seconds > SECONDS:
            faults.append(f"the job ended after {seconds} s with status {job.returncode}")
        if "SIGKILL" not in "".join(output):
            faults.append("the job does not say what happened")
        resumed = self.start("killed", 2, "train_cfg.max_epochs=3")
        log, _ = resumed.communicate()
        if resumed.returncode or "resumed epoch: " not in log:
            faults.append(f"the job was not resumed: {log[-1000:]}")
        return dict(seconds_until_end=seconds, status=job.returncode, faults=faults)

    def evaluate(self, counts: Sequence[int]) -> dict:
        """Evaluate the published model by so many processes, on the same data."""
        metrics = []
        for count in counts:
            out = self.folder / f"metrics-{count}.json"
            done = subprocess.run(
                [sys.executable, *launcher(count), "tools/test.py", SHIPPED_CONFIG,
                 SHIPPED_CHECKPOINT, "--launcher", "pytorch",
                 "--work-dir", self.folder / f"test-{count}",
                 "--out", out],
                cwd=ROOT, capture_output=True, text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            if done.returncode:
                raise UserError(f"the evaluation by {count} failed:\n{done.stderr[-3000:]}")
            metrics.append(read_metrics(out))
        first, *others = metrics
        faults = [
            f"{key} differs: {[one[key] for one in metrics]}"
            for key, value in first.items()
            if any(not abs(other[key] - value) <= AP for other in others)
        ]
        if not first["coco/AP"] > 0:
            faults.append(f"the AP is {first['coco/AP']}, which shows nothing")
        found = {str(count): one["coco/AP"] for count, one in zip(counts, metrics, strict=True)}
        return dict(coco_mini_ap=found, faults=faults)

    def _scores(self, name: str) -> list[tuple[int, list[float]]]:
        """Return (image, scores of the keypoints) of the persons that were evaluated, in order."""
        found = json.loads((self.folder / name / "found.keypoints.json").read_bytes())
        return sorted((person["image_id"], person["keypoints"][2::3]) for person in found)


def launcher(processes: int) -> list[str]:
    """Return the arguments of Python that start so many processes on this machine."""
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]


def difference(ours: Sequence[list[float]], theirs: Sequence[list[float]]) -> float:
    """Return the largest difference of scores, as a fraction of the largest.

    Raises:
        UserError: All scores are the same, or there are none.
    """
    if len({score for scores in theirs for score in scores}) < 2:
        raise UserError("there is nothing to compare: all scores are the same")
    found, expected = torch.tensor(ours), torch.tensor(theirs)
    return float((found - expected).abs().max() / expected.max())


def distance(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """Return the Euclidean distance between the weights of two checkpoints."""
    if ours.keys() != theirs.keys():
        raise UserError("the checkpoints hold other weights")
    return math.sqrt(sum(float((ours[key] - theirs[key]).square().sum()) for key in theirs))


if __name__ == "__main__":
    with user_errors():
        main()
