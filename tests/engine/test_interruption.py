"""Killed, preempted or short of disk, a training ends where an uninterrupted one ends."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import RepeatDataset
from mmengine.fileio import get_file_backend
from mmengine.hooks import Hook
from mmpose.datasets import CombinedDataset

from dyrelu_pose.datasets import CocoDataset
from dyrelu_pose.engine import AtomicLocalBackend, latest_checkpoint
from dyrelu_pose.engine.preemption import EXIT_CODE
from dyrelu_pose.engine.train_loop import BEGIN
from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import DiskFullError
from tests.scripts import start

from .conftest import BATCH, EPOCHS, SAMPLES, Points, add_noise, log_of

STEPS = SAMPLES // BATCH


class Stop(Hook):
    """Send this process a signal, or raise, in one iteration."""

    def __init__(self, iteration, action):
        self.iteration, self.action = iteration, action

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.iteration:
            self.action()


class Crash(Exception):
    pass


def crash():
    raise Crash


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def weights_of(runner):
    return torch.cat([p.detach().flatten() for p in runner.model.parameters()])


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("iteration", [STEPS + 2, 2 * STEPS - 1, 2])
def test_sigterm_saves_in_the_middle_of_an_epoch(toy, iteration, workers):
    whole = toy("whole", workers=0)
    whole.train()
    with pytest.raises(SystemExit) as exit_:
        toy("stopped", [Stop(iteration, terminate)], workers).train()
    assert exit_.value.code == EXIT_CODE
    folder = toy("stopped").work_dir
    assert latest_checkpoint(folder) == f"{folder}/preempted.pth"
    resumed = toy("stopped", workers=workers, resume=True, load_from=latest_checkpoint(folder))
    resumed.train()
    assert resumed.iter == whole.iter == EPOCHS * STEPS
    assert torch.equal(weights_of(resumed), weights_of(whole))


@pytest.mark.parametrize(
    ("checkpoint", "iterations"), [("epoch_1.pth", STEPS), ("preempted.pth", STEPS + 3)]
)
def test_epochs_of_another_length_are_whole(toy, checkpoint, iterations):
    """Resumed with batches of twice the size, and interrupted again."""
    with pytest.raises(SystemExit):
        toy("first", [Stop(STEPS + 2, terminate)]).train()
    options = dict(batch=2 * BATCH, resume=True)
    options["load_from"] = f"{toy('first').work_dir}/{checkpoint}"
    whole = toy("whole", **options)
    whole.train()
    assert whole.iter == iterations + (EPOCHS - 1) * STEPS // 2
    assert ("epoch 2 begins anew" in log_of(whole)) == (checkpoint == "preempted.pth")
    with pytest.raises(SystemExit):
        toy("second", [Stop(iterations + STEPS // 2 + 1, terminate)], **options).train()
    options["load_from"] = latest_checkpoint(toy("second").work_dir)
    resumed = toy("second", **options)
    resumed.train()
    assert resumed.iter == whole.iter
    assert torch.equal(weights_of(resumed), weights_of(whole))


def test_a_checkpoint_that_does_not_say_where_its_epoch_began_is_taken_by_its_count(toy):
    whole = toy("whole")
    whole.train()
    with pytest.raises(SystemExit):
        toy("stopped", [Stop(STEPS + 2, terminate)]).train()
    path = latest_checkpoint(toy("stopped").work_dir)
    checkpoint = torch.load(path)
    del checkpoint["message_hub"]["runtime_info"][BEGIN]
    torch.save(checkpoint, path)
    resumed = toy("stopped", resume=True, load_from=path)
    resumed.train()
    assert torch.equal(weights_of(resumed), weights_of(whole))


def test_a_crash_costs_the_epoch_at_most(toy):
    whole = toy("whole")
    whole.train()
    with pytest.raises(Crash):
        toy("stopped", [Stop(2 * STEPS + 3, crash)]).train()
    resumed = toy("stopped", resume=True, load_from=latest_checkpoint(toy("stopped").work_dir))
    resumed.train()
    assert torch.equal(weights_of(resumed), weights_of(whole))


class Batched(Points):
    def __getitems__(self, indices):
        noise = np.random.randn(len(indices), 8).astype(np.float32)
        return [dict(inputs=torch.as_tensor(row)) for row in noise]


def plain():
    return Points(pipeline=[add_noise])


def repeated():
    return RepeatDataset(Points(pipeline=[add_noise], indices=SAMPLES // 2), times=2)


def combined():
    """Return one that draws which samples of its parts it takes, too."""
    parts = [dict(type=Points), dict(type=Points)]
    factors = [0.5, 0.5]
    return CombinedDataset(CocoDataset.METAINFO, parts, [add_noise], sample_ratio_factor=factors)


@pytest.mark.parametrize("dataset", [plain, repeated, combined, Batched])
def test_each_epoch_draws_other_augmentation_with_any_number_of_workers(toy, dataset):
    seen = []

    class Look(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            seen.append(torch.stack(data_batch["inputs"]))

    for workers in (0, 2):
        toy(f"{workers}", [Look()], workers, dataset=dataset()).train()
    values = torch.cat(seen).view(2, EPOCHS * SAMPLES, 8)
    assert torch.equal(*values)
    assert len(torch.unique(values[0, :, 0])) == EPOCHS * SAMPLES


def test_a_loop_over_iterations_is_not_reproducible(toy):
    train_cfg = dict(by_epoch=False, max_iters=4)
    with pytest.raises(UserError, match="deterministic of the config .* loop over iterations"):
        toy("run", train_cfg=train_cfg).train()


def test_a_former_checkpoint_is_there_until_the_new_one_is_whole(toy, monkeypatch):
    held = []
    put = AtomicLocalBackend.put

    def watched(self, content, path):
        held.append(sorted(p.name for p in Path(path).parent.glob("epoch_*.pth")))
        put(self, content, path)

    monkeypatch.setattr(AtomicLocalBackend, "put", watched)
    runner = toy("run", max_keep=1)
    runner.train()
    assert held == [[], ["epoch_1.pth"], ["epoch_2.pth"]]
    assert [p.name for p in Path(runner.work_dir).glob("*.pth")] == ["epoch_3.pth"]


def test_a_full_disk_keeps_what_was_there(tmp_path, monkeypatch):
    backend = get_file_backend(str(tmp_path))
    path = tmp_path / "epoch_1.pth"
    backend.put(b"good", path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"the disk is full: .*epoch_1.pth needs 2.0 MB"):
        backend.put(b"x" * 2_000_000, path)
    assert path.read_bytes() == b"good"
    assert [p.name for p in tmp_path.iterdir()] == ["epoch_1.pth"]


WRITE = """
import sys
from dyrelu_pose.engine.atomic_files import AtomicLocalBackend
backend = AtomicLocalBackend()
print("ready", flush=True)
while True:
    for letter in b"ab":
        backend.put(bytes([letter]) * 30_000_000, sys.argv[1])
"""


def test_a_kill_while_writing_leaves_a_whole_file(tmp_path):
    path = tmp_path / "epoch_1.pth"
    process = start("-c", WRITE, path)
    process.stdout.readline()
    unfinished = False
    for _ in range(20):  # looks at a file that is being replaced all the time
        time.sleep(0.02)
        unfinished |= any(p.name.endswith(".unfinished") for p in tmp_path.iterdir())
        if path.exists():
            check_whole(path)
    while not any(p.name.endswith(".unfinished") for p in tmp_path.iterdir()):
        pass
    process.kill()
    process.wait()
    assert unfinished
    check_whole(path)


def check_whole(path):
    content = path.read_bytes()
    assert len(content) == 30_000_000
    assert len(set(content)) == 1


def test_damaged_checkpoints_are_passed_over(toy, capsys):
    runner = toy("run")
    runner.train()
    folder = Path(runner.work_dir)
    (folder / "epoch_3.pth").write_bytes((folder / "epoch_3.pth").read_bytes()[:500])
    (folder / "last_checkpoint").write_text("")
    os.utime(folder / "epoch_1.pth", (0, 0))
    assert latest_checkpoint(folder) == str(folder / "epoch_2.pth")
    assert "passed over: checkpoint" in capsys.readouterr().out
    assert latest_checkpoint(folder / "nothing") is None


def test_the_last_checkpoint_may_be_outside_of_the_work_directory(tmp_path):
    work_dir, out_dir = tmp_path / "run", tmp_path / "out/run"
    work_dir.mkdir()
    out_dir.mkdir(parents=True)
    for path in (work_dir / "preempted.pth", out_dir / "epoch_9.pth"):
        torch.save(dict(optimizer={}, state_dict={}), path)
    (work_dir / "last_checkpoint").write_text(str(out_dir / "epoch_9.pth"))
    assert latest_checkpoint(work_dir) == str(out_dir / "epoch_9.pth")
    torch.save(dict(optimizer={}, state_dict={}), work_dir / "epoch_9.pth")  # a training, copied
    assert latest_checkpoint(work_dir) == str(work_dir / "epoch_9.pth")
