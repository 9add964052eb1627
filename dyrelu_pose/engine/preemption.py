"""Saves and leaves when a cluster takes the machine back (SIGTERM)."""

import os
import signal
from pathlib import Path

import torch
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.fileio import put_text
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

PREEMPTED = "preempted.pth"
EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again


@HOOKS.register_module()
class PreemptionHook(Hook):
    """After SIGTERM, finish the iteration, save `preempted.pth` and exit with status 75.

    `--resume` goes on from there, in the middle of the epoch if `ResumableTrainLoop` runs it. All
    processes of a distributed training leave after the same iteration.
    """

    priority = "LOWEST"  # after everything that belongs to the iteration

    def before_train(self, runner: Runner) -> None:
        """Listen."""
        self._asked, self._process = False, os.getpid()
        signal.signal(signal.SIGTERM, self._ask)

    def after_train(self, runner: Runner) -> None:
        """Listen no more."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _ask(self, number: int, frame: object) -> None:
        # Workers of the data loader inherit this. A cluster signals them too, and the training
        # needs them until it has saved; it ends them itself by a second signal, if need be.
        if self._asked and os.getpid() != self._process:
            os._exit(EXIT_CODE)
        self._asked = True

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Save and leave, if asked."""
        if not self._agreed():
            return
        runner.save_checkpoint(runner.work_dir, PREEMPTED, by_epoch=False)
        if is_main_process():
            path = Path(runner.work_dir, PREEMPTED)
            put_text(str(path), Path(runner.work_dir, "last_checkpoint"))
            runner.logger.info(f"SIGTERM: saved {path} after iteration {runner.iter + 1}")
        raise SystemExit(EXIT_CODE)

    def _agreed(self) -> bool:
        if get_world_size() == 1:
            return self._asked
        asked = torch.tensor(int(self._asked))
        if torch.distributed.get_backend() == "nccl":
            asked = asked.cuda()
        all_reduce(asked, "max")
        return bool(asked)
