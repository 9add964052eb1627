"""A training that goes on where a checkpoint was made, within an epoch or before its validation."""

import logging
from collections.abc import Iterator
from itertools import islice

from mmengine.logging import print_log
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

BEGIN = "begin_of_epoch"  # in checkpoints: an epoch, the iteration it began at, its batches


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """MMEngine's loop over epochs, except for how it resumes.

    From within an epoch: the batches that the checkpoint has seen are read and left out, so that
    the rest is what an uninterrupted training would have had; where an epoch has another number of
    batches now, it begins anew. From the end of one: a validation that is due then comes first,
    since the interruption may have been in it.
    """

    def run(self) -> nn.Module:
        """Run all epochs that are left."""
        self.runner.call_hook("before_train")
        done, batches = self._progress()
        if self._epoch and done == 0:
            self._validate()
        self._left_out = done
        if done and batches != len(self.dataloader):
            print_log(
                f"the checkpoint is from within an epoch of {batches} batches, which has "
                f"{len(self.dataloader)} now: epoch {self._epoch + 1} begins anew",
                logger="current",
                level=logging.WARNING,
            )
            self._left_out = 0
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Run one epoch, or what is left of it."""
        begin = self._epoch, self._iter - self._left_out, len(self.dataloader)
        self.runner.message_hub.update_info(BEGIN, begin)
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for index, batch in self._batches():
            # MMEngine takes what a loader gives, though its hint is a sequence of samples.
            self.run_iter(index, batch)  # pyright: ignore[reportArgumentType]
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1
        self._left_out = 0

    def _batches(self) -> Iterator[tuple[int, dict]]:
        return islice(enumerate(self.dataloader), self._left_out, None)

    def _progress(self) -> tuple[int, int]:
        """Return how many batches of this epoch went into the weights, and how many it had."""
        batches = len(self.dataloader)
        # Earlier checkpoints do not say: they are taken for ones with as many batches.
        unsaid = self._epoch, self._epoch * batches, batches
        epoch, first, had = self.runner.message_hub.get_info(BEGIN, unsaid)
        done = self._iter - first if epoch == self._epoch else 0
        return (done if 0 <= done <= had else 0), had

    def _validate(self) -> None:
        self._decide_current_val_interval()
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        if self.runner.val_loop is not None and self._epoch >= self.val_begin and due:
            self.runner.val_loop.run()
