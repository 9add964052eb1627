"""Saves checkpoints without a moment in which there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.hooks import CheckpointHook as MMEngineCheckpointHook
from mmengine.registry import HOOKS
from mmengine.runner import Runner


@HOOKS.register_module(force=True)
class CheckpointHook(MMEngineCheckpointHook):
    """MMEngine's CheckpointHook, except that it removes outdated files after writing new ones.

    With `max_keep_ckpts=1` MMEngine's has no checkpoint at all while it writes. This one takes its
    name in the registry, so that every config has it.
    """

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        with self._removing_afterwards():
            super()._save_checkpoint_with_step(runner, step, meta)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        with self._removing_afterwards():
            super()._save_best_checkpoint(runner, metrics)

    @contextmanager
    def _removing_afterwards(self) -> Iterator[None]:
        backend = self.file_backend
        self.file_backend = waiting = _RemoveLater(backend)
        try:
            yield
        finally:
            self.file_backend = backend
        for method, path in waiting.removals:
            getattr(backend, method)(path)


class _RemoveLater:
    """A file backend that only notes what is to be removed."""

    def __init__(self, backend: object) -> None:
        self._backend = backend
        self.removals: list[tuple[str, str]] = []  # method of the backend, path

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self.removals.append(("remove", path))

    def rmtree(self, path: str) -> None:
        self.removals.append(("rmtree", path))
