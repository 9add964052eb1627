"""A training that goes on where a checkpoint was made, within an epoch or before its validation."""

from collections.abc import Iterator
from itertools import islice

from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """MMEngine's loop over epochs, except for how it resumes.

    From within an epoch: the batches that the checkpoint has seen are read and left out, so that
    the rest is what an uninterrupted training would have had. From the end of one: a validation
    that is due then comes first, since the interruption may have been in it.
    """

    def run(self) -> nn.Module:
        """Run all epochs that are left."""
        self.runner.call_hook("before_train")
        if self._epoch and self._batches_done() == 0:
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Run one epoch, or what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        for index, batch in self._batches():
            # MMEngine takes what a loader gives, though its hint is a sequence of samples.
            self.run_iter(index, batch)  # pyright: ignore[reportArgumentType]
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _batches(self) -> Iterator[tuple[int, dict]]:
        return islice(enumerate(self.dataloader), self._batches_done(), None)

    def _batches_done(self) -> int:
        """Batches of this epoch that went into the weights."""
        done = self._iter - self._epoch * len(self.dataloader)
        # A checkpoint of a training with other batches does not say.
        return done if 0 <= done <= len(self.dataloader) else 0

    def _validate(self) -> None:
        self._decide_current_val_interval()
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        if self.runner.val_loop is not None and self._epoch >= self.val_begin and due:
            self.runner.val_loop.run()
