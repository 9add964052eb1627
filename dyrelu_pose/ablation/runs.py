"""One run of a grid: its folder, the commands that make it, and the record that says it is done.

The folder is named after the cell, the seed and the hash of the config, so a changed config is
another run, starts in a folder of its own, and never resumes from the old one's checkpoints.
"""

import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import IO

from mmengine.config import Config

from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import write_text
from dyrelu_pose.visualization.run_log import RunLog, read_run, read_scalars, rounded

from .configs import digest

RECORD = "record.json"
RECORDS = "runs"  # folder of the records beside the results
METRICS = "metrics.json"
SPENT = "seconds.txt"
FIGURES = {"AP": "AP", "AP50": "AP .5", "AP75": "AP .75", "AR": "AR"}  # ours: the evaluator's
NLL = "NLL"  # of HeatmapNLL, where the config has it
CURVES = ("loss", "ap", "nll")
LAST = 15  # lines of its output that are shown when it fails


@dataclass(frozen=True, eq=False)
class Run:
    """A cell trained from one seed.

    Attributes:
        cell: Name of the cell.
        seed: The seed.
        cfg: The full config.
        work_dir: Work directory of the grid.
        out: Folder of the grid's results, which keeps the records where work directories go away.
    """

    cell: str
    seed: int
    cfg: Config
    work_dir: Path
    out: Path

    @property
    def name(self) -> str:
        """What to call the run."""
        return f"{self.cell}, seed {self.seed}"

    @cached_property
    def digest(self) -> str:
        """Hash of the config."""
        return digest(self.cfg)

    @property
    def folder(self) -> Path:
        """Work directory of the run."""
        return self.work_dir / self.cell / f"seed{self.seed}-{self.digest[:10]}"

    @property
    def config(self) -> Path:
        """The config as a file."""
        return self.folder / "config.py"

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.folder / "output.txt"

    @property
    def length(self) -> int:
        """Epochs of the run, or its iterations if the config counts those."""
        train = self.cfg.train_cfg
        return train.get("max_epochs") or train.max_iters

    def prepare(self) -> None:
        """Make the folder and write the config, anew: MMEngine adds its own entries to the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.cfg.dump(self.config)

    def record(self) -> dict | None:
        """Return the record of the finished run, or None if it has not finished."""
        for path in self._records:
            record = json.loads(path.read_bytes()) if path.exists() else None
            if record and record["digest"] == self.digest:
                return record
        return None

    def keep(self, record: dict) -> None:
        """Write the record, which says that the run has finished, with its learning curve."""
        text = json.dumps({**record, "digest": self.digest, "curve": self._curve()}) + "\n"
        for path in self._records:
            write_text(path, text)

    def _log(self) -> RunLog | None:
        try:
            return read_run(self.folder)
        except FileNotFoundError:
            return None

    def _curve(self) -> dict[str, list[tuple[float, float]]]:
        """Return (epoch, value) pairs of training loss, AP and NLL, [] for what was not logged."""
        log = self._log()
        return {key: rounded(getattr(log, key, [])) for key in CURVES}

    def pace(self) -> dict[str, float]:
        """Return seconds of a training step and minutes of an epoch, {} where none are logged."""
        log = self._log()
        if log is None or log.minutes is None:
            return {}
        return dict(
            step_seconds=float(f"{log.step_seconds:.4g}"), epoch_minutes=float(f"{log.minutes:.4g}")
        )

    @property
    def _records(self) -> tuple[Path, Path]:
        return self.folder / RECORD, self.out / RECORDS / f"{self.cell}-seed{self.seed}.json"

    def metrics(self) -> dict[str, float] | None:
        """Return AP, AP50, AP75 and AR (0 to 1) after the last epoch, or None if there are none.

        Where the config measures it, with `NLL`, the validation loss of the heatmaps.

        They are what training logged or, where it was stopped between its last epoch and the
        evaluation of that, what `tools/test.py` wrote.
        """
        tested = self.folder / METRICS
        logged = json.loads(tested.read_bytes()) if tested.exists() else self._last_validation()
        if logged is None:
            return None
        values = {key.partition("/")[2]: value for key, value in logged.items() if "/" in key}
        missing = [name for name in FIGURES.values() if name not in values]
        if missing:
            raise UserError(
                f"{self.name}: the evaluator reports no {missing[0]!r} but {', '.join(values)}; "
                "ablations compare COCO's keypoint AP"
            )
        figures = {name: values[theirs] for name, theirs in FIGURES.items()}
        return figures | {name: values[name] for name in (NLL,) if name in values}

    def training_loss(self) -> float | None:
        """Return the mean of what the last epoch logged of the training loss, None if nothing."""
        last = [loss for step, loss in self._curve()["loss"] if step > self.length - 1]
        return sum(last) / len(last) if last else None

    def _last_validation(self) -> dict | None:
        logged = [record for record in self._scalars() if any("/AP" in key for key in record)]
        return logged[-1] if logged and logged[-1]["step"] >= self.length else None

    def progress(self) -> float:
        """Return the share of the training that is logged, 0 to 1."""
        trained = [record for record in self._scalars() if "loss" in record]
        if not trained:
            return 0.0
        last = trained[-1]
        return min((last["epoch"] - 1 if "epoch" in last else last["step"]) / self.length, 1.0)

    def _scalars(self) -> Iterator[dict]:
        return chain.from_iterable(read_scalars(self.folder))

    def spent(self) -> float:
        """Return the seconds that all starts of the run took."""
        path = self.folder / SPENT
        return float(path.read_text(encoding="utf-8")) if path.exists() else 0.0

    def spend(self, seconds: float) -> None:
        """Add the seconds of one start."""
        total = self.spent() + seconds
        write_text(self.folder / SPENT, f"{total:.1f}\n")

    def tail(self) -> str:
        """Return the last lines that its processes printed."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-LAST:])


def commands(run: Run, tools: Path, flags: Sequence[str] = ()) -> Iterator[list[str]]:
    """Yield the commands that make a run, each when the one before has succeeded.

    Training resumes if there is a checkpoint. If it was stopped after its last epoch and before the
    evaluation of that, there is nothing left to train, and the checkpoint is evaluated.

    Args:
        run: The run.
        tools: Folder of `train.py` and `test.py`.
        flags: Of `train.py`, which leave the config as it is.
    """
    last = run.folder / "last_checkpoint"
    train = [sys.executable, str(tools / "train.py"), str(run.config)]
    train += ["--work-dir", str(run.folder), *flags]
    yield [*train, "--resume"] if last.exists() else train
    if run.metrics() is None and last.exists():
        checkpoint = last.read_text(encoding="locale").strip()  # as MMEngine writes it
        test = [sys.executable, str(tools / "test.py"), str(run.config), checkpoint]
        yield [*test, "--work-dir", str(run.folder), "--out", str(run.folder / METRICS)]


def lock(run: Run) -> IO[str]:
    """Take the run for this process, until the returned file is closed.

    The file is given to the processes of the run as well, so that it stays locked for as long as
    one of them lives.

    Raises:
        UserError: Another process has it.
    """
    run.folder.mkdir(parents=True, exist_ok=True)
    file = (run.folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().strip() or "another process"
        file.close()
        raise UserError(
            f"{run.name} is being run by {owner} in {run.folder}: wait for it, stop it, or choose "
            "other cells with --cells or another --work-dir"
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
    file.flush()
    return file
