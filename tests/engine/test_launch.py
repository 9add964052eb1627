"""Processes that a launcher has started, on machines without a GPU."""

import os
import socket

import pytest
import torch
from mmengine.config import Config

from dyrelu_pose.engine.launch import prepare
from dyrelu_pose.errors import UserError
from tests.scripts import DEMO, start


@pytest.mark.parametrize(
    ("launcher", "message"),
    [
        ("pytorch", "that torchrun has started, and it did not set RANK, WORLD_SIZE, LOCAL_RANK"),
        ("slurm", "that srun has started, and it did not set SLURM_PROCID"),
        ("mpi", "that mpirun has started, and it did not set OMPI_COMM_WORLD_RANK"),
    ],
)
def test_a_launcher_that_did_not_start_the_process_is_named(launcher, message, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=message):
        prepare(Config(dict(launcher=launcher)))


def test_slurm_tasks_train_together(tmp_path, people):
    """Two tasks as srun starts them; the first node is the host of the meeting."""
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\n[ "$*" = "show hostnames node[1-2]" ] && echo "127.0.0.1\nb"\n')
    scontrol.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        "tools/train.py", DEMO, "--launcher", "slurm", "--no-validate",
        "--work-dir", tmp_path / "work", "--cfg-options", "train_cfg.max_epochs=1",
        f"train_dataloader.dataset.data_root={people}/", "train_dataloader.batch_size=1",
        "train_dataloader.num_workers=0", "train_dataloader.persistent_workers=False",
    ]  # fmt: skip
    environment = dict(
        PATH=f"{tmp_path}:{os.environ['PATH']}",
        SLURM_NTASKS="2",
        SLURM_NODELIST="node[1-2]",
        SLURM_LOCALID="0",
        MASTER_PORT=str(port),
    )
    tasks = [start(*command, **environment, SLURM_PROCID=str(task)) for task in range(2)]
    first, second = (task.communicate()[0] for task in tasks)
    assert [task.returncode for task in tasks] == [0, 0], first + second
    assert "GPU number: 2" in first
    assert (tmp_path / "work/epoch_1.pth").exists()


def test_a_slurm_without_scontrol_asks_for_the_address(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    task = dict(SLURM_PROCID="0", SLURM_NTASKS="1", SLURM_LOCALID="0", SLURM_NODELIST="node[1-2]")
    for name, value in dict(
        task, PATH=str(tmp_path), RANK="", WORLD_SIZE="", LOCAL_RANK=""
    ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UserError, match=r"first of node\[1-2\] .*: set MASTER_ADDR"):
        prepare(Config(dict(launcher="slurm")))
