"""The same random numbers in every run, interrupted or not, with any number of workers."""

import random

import numpy as np
import torch
from mmengine.dataset import Compose
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module()
class ReproducibleHook(Hook):
    """Seed every augmentation by (seed, epoch, sample) and every iteration by (seed, iteration).

    So a resumed training draws what the uninterrupted one draws, which no state in a checkpoint
    could do for the augmentation: that runs in processes of the data loader. `tools/train.py` adds
    it if the config says `randomness = dict(seed=..., deterministic=True)`.
    """

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        """Put the seeding in front of the pipelines, before the workers have their copies."""
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        for pipeline in pipelines_of(runner.train_dataloader.dataset):
            pipeline.transforms.insert(0, _SeedSample(runner.seed, self._epoch))

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell the workers which epoch it is."""
        self._epoch.fill_(runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict) -> None:
        """Seed what the model draws (dropout)."""
        seed_all(runner.seed, runner.iter, get_rank())


class _SeedSample:
    """A transform that changes nothing but the random state."""

    def __init__(self, seed: int, epoch: torch.Tensor) -> None:
        self.seed, self.epoch = seed, epoch

    def __call__(self, results: dict) -> dict:
        seed_all(self.seed, int(self.epoch), results["sample_idx"])
        return results


def pipelines_of(dataset: object) -> list[Compose]:
    """Return the pipelines, of a data set or of those that it wraps, that draw random numbers."""
    if (pipeline := getattr(dataset, "pipeline", None)) is not None:
        return [pipeline]
    if (wrapped := getattr(dataset, "dataset", None)) is not None:  # RepeatDataset and the like
        return pipelines_of(wrapped)
    return [found for part in getattr(dataset, "datasets", ()) for found in pipelines_of(part)]


def seed_all(*key: int) -> None:
    """Seed Python, NumPy and torch by whole numbers, far apart for keys that are close."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
