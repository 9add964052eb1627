"""Reads the scalars that MMEngine logs into a work directory."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from dyrelu_pose.errors import UserError

SCALARS = "*/vis_data/scalars.json"  # one timestamped folder per start of the run
AP, NLL = "coco/AP", "heatmap/NLL"
NO_METRICS = ("step", "time", "data_time", "lr", "epoch", "iter", "memory", "grad_norm")
NUMBERS = ("step", "epoch", "loss", "time", AP, NLL)  # what is computed with


class RunLogNotFoundError(UserError, FileNotFoundError):
    """A work directory has no log of a training."""


@dataclass(frozen=True)
class RunLog:
    """The curves of one run, across all its restarts.

    Args:
        name: The work directory's name.
        unit: What the steps count: "epoch" or "iteration".
        loss: (step, training loss) pairs in order; steps may be fractions of an epoch.
        ap: (step, validation AP) pairs in order.
        nll: (step, validation NLL of the heatmaps) pairs in order, where it was measured.
        step_seconds: Median of the seconds that a training step took, its batch included.
        epoch_length: Training steps per epoch; 1 where steps count iterations.
        other: Names of what a validation without AP returned, such as "PCK".
    """

    name: str
    unit: str
    loss: list[tuple[float, float]]
    ap: list[tuple[float, float]]
    nll: list[tuple[float, float]] = field(default_factory=list)
    step_seconds: float | None = None
    epoch_length: float = 1
    other: tuple[str, ...] = ()

    @property
    def minutes(self) -> float | None:
        """Minutes of training per unit, validation left out; None where no time was logged."""
        return self.step_seconds and self.step_seconds * self.epoch_length / 60


def read_run(work_dir: Path) -> RunLog:
    """Read the log of a run.

    Where a run was started several times, each start replaces what an earlier one logged from that
    point on. Starts that only test a checkpoint are left out.

    Args:
        work_dir: The `work_dir` of the run.

    Raises:
        RunLogNotFoundError: There is no log, or none with a training loss.
        UserError: A log is not what MMEngine writes.
    """
    starts = read_scalars(work_dir)
    if not starts:
        where = work_dir / SCALARS
        raise RunLogNotFoundError(
            f"no training log: nothing matches {where}; is it a work directory?"
        )
    train: list[dict] = []
    val: list[dict] = []
    for records in starts:
        started = [r for r in records if "loss" in r]
        if not started:
            continue
        step, epoch = started[0]["step"], started[0].get("epoch")
        train = [r for r in train if r["step"] < step] + started
        evaluated = [r for r in records if AP in r]
        # Validation logs count epochs where the loop does, iterations otherwise.
        val = [r for r in val if r["step"] < (epoch or step)] + evaluated
    if not train:
        raise RunLogNotFoundError(
            f"no training loss in {work_dir / SCALARS}: it was only tested, or nothing is logged "
            "yet"
        )

    by_epoch = all(r.get("epoch") for r in train)  # they count from 1
    # Iterations per epoch, from the records nearest to an epoch's end.
    length = max(r["step"] / r["epoch"] for r in train) if by_epoch else 1
    times = [r["time"] for r in train if "time" in r]
    return RunLog(
        name=work_dir.resolve().name,
        unit="epoch" if by_epoch else "iteration",
        loss=[(r["step"] / length, r["loss"]) for r in train],
        ap=[(r["step"], r[AP]) for r in val],
        nll=[(r["step"], r[NLL]) for r in val if NLL in r],
        step_seconds=median(times) if times else None,
        epoch_length=length,
        other=() if val else _other_metrics(starts),
    )


def _other_metrics(starts: list[list[dict]]) -> tuple[str, ...]:
    """Return the names of what validations logged, besides the time that they took."""
    validations = [r for records in starts for r in records if "loss" not in r]
    names = dict.fromkeys(name for record in validations for name in record)
    return tuple(name for name in names if name not in NO_METRICS)


def rounded(curve: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Round a curve for a file: steps to thousandths, values to five figures."""
    return [(round(step, 3), float(f"{value:.5g}")) for step, value in curve]


def read_scalars(work_dir: Path) -> list[list[dict]]:
    """Return the records that each start of a run logged, in order; [] if there is no log.

    The last line of a start may be cut off, by a kill or because it is being written: it is left
    out.

    Raises:
        UserError: Another line is not what MMEngine writes.
    """
    return [_records(path) for path in sorted(work_dir.glob(SCALARS))]


def _records(path: Path) -> list[dict]:
    lines = path.read_bytes().splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except ValueError as error:  # not JSON, or not even text
            if number == len(lines):
                break
            raise UserError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(record, dict) or "step" not in record:
            raise UserError(f"{path}, line {number}: no 'step'; MMEngine writes one in every line")
        for name in NUMBERS:
            if type(value := record.get(name, 0)) not in (int, float):
                raise UserError(f"{path}, line {number}: {name} is {value!r}, not a number")
        records.append(record)
    return records
