"""Several processes, also on machines without the GPU that MMEngine's launchers ask for."""

import atexit
import os
import subprocess
import time

import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from torch import nn

from dyrelu_pose.errors import UserError

# Where each launcher says which process this is: rank, number of processes, rank on the machine.
VARIABLES = {
    "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
}
STARTED_BY = {"pytorch": "torchrun", "slurm": "srun", "mpi": "mpirun"}
SECONDS_TO_LET_GO = 0.2


def prepare(cfg: Config) -> None:
    """Make ready what `cfg.launcher` started; with GPUs, MMEngine does the rest.

    Raises:
        UserError: The launcher did not start this process, or Slurm does not name its nodes.
    """
    if cfg.launcher == "none":
        return
    missing = [name for name in VARIABLES[cfg.launcher] if name not in os.environ]
    if missing:
        raise UserError(
            f"--launcher {cfg.launcher} is for processes that {STARTED_BY[cfg.launcher]} has "
            f"started, and it did not set {', '.join(missing)}. For one process, leave it out"
        )
    if not torch.cuda.is_available():
        _join_on_cpus(cfg)


def unwrapped(model: nn.Module) -> nn.Module:
    """Return a runner's model without what wraps it where several processes train it."""
    return model.get_submodule("module") if is_model_wrapper(model) else model


def _join_on_cpus(cfg: Config) -> None:
    """Do what MMEngine does for a launcher, except for asking for a GPU."""
    for name, theirs in zip(VARIABLES["pytorch"], VARIABLES[cfg.launcher], strict=True):
        os.environ[name] = os.environ[theirs]
    if cfg.launcher == "slurm" and "MASTER_ADDR" not in os.environ:
        os.environ["MASTER_ADDR"] = _first_host(os.environ["SLURM_NODELIST"])
    os.environ.setdefault("MASTER_PORT", "29500")
    torch.distributed.init_process_group("gloo")
    atexit.register(_leave)
    cfg.model_wrapper_cfg = dict(
        type="MMDistributedDataParallel",
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get("find_unused_parameters", False),
    )


def _first_host(nodes: str) -> str:
    """Return the first of Slurm's nodes, which it writes as node[01-08]."""
    try:
        shown = subprocess.run(
            ["scontrol", "show", "hostnames", nodes], check=True, stdout=subprocess.PIPE, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"scontrol does not say which node is the first of {nodes} ({error}): set MASTER_ADDR "
            "to its name"
        ) from error
    return shown.stdout.split()[0]


def _leave() -> None:
    # A thread of gloo that still lets go of the last tensors when Python ends would abort the
    # finished process: it needs Python's lock, which sleeping gives it.
    time.sleep(SECONDS_TO_LET_GO)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
