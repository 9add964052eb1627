"""The same random numbers in every run, interrupted or not, with any number of workers."""

import random
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import Dataset

from dyrelu_pose.errors import UserError


@HOOKS.register_module()
class ReproducibleHook(Hook):
    """Seed every sample by (seed, epoch, index) and every iteration by (seed, iteration).

    So a resumed training draws what the uninterrupted one draws, which no state in a checkpoint
    could do for the augmentation: that runs in processes of the data loader. `tools/train.py` adds
    it if the config says `randomness = dict(seed=..., deterministic=True)`.

    Raises:
        UserError: The training is a loop over iterations, whose loader begins before any hook.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        """Put the seeding in front of the data set, before the workers have their copies."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            raise UserError(
                "randomness.deterministic of the config seeds augmentation by epochs, which a loop "
                "over iterations does not have: train by epochs (train_cfg.by_epoch), or leave it "
                "out"
            )
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        dataset = runner.train_dataloader.dataset
        vars(dataset)["__getitems__"] = _SeededItems(dataset, runner.seed, self._epoch)

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the workers which epoch it is."""
        self._epoch.fill_(runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict) -> None:
        """Seed what the model draws (dropout)."""
        seed_all(runner.seed, runner.iter, get_rank())


class _SeededItems:
    """Stands in for `__getitems__`, which PyTorch's loader calls for the samples of a batch.

    A data set that has one draws for a batch together: by the index of its first sample.
    """

    def __init__(self, dataset: Dataset, seed: int, epoch: torch.Tensor) -> None:
        self.dataset, self.seed, self.epoch = dataset, seed, epoch
        self.whole = getattr(type(dataset), "__getitems__", None)

    def __call__(self, indices: Sequence[int]) -> list:
        if self.whole is not None:
            self._seed(indices[0])
            return self.whole(self.dataset, indices)
        samples = []
        for index in indices:
            self._seed(index)
            samples.append(self.dataset[index])
        return samples

    def _seed(self, index: int) -> None:
        seed_all(self.seed, int(self.epoch), index)


def seed_all(*key: int) -> None:
    """Seed Python, NumPy and torch by whole numbers, far apart for keys that are close."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
