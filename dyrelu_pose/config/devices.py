"""Check that this machine has the GPU that a training asks for."""

from mmengine.config import Config
from mmengine.device import get_device

from dyrelu_pose.engine.cuda_graph import check_gpu
from dyrelu_pose.errors import UserError

from .parts import entries, hooks_of


def check_devices(cfg: Config) -> None:
    """Check that there is a GPU for SyncBatchNorm, mixed precision and replayed steps.

    Raises:
        UserError: There is none; the message names what asks for it.
    """
    if any(hook.get("type") == "CudaGraphHook" for hook in hooks_of(cfg).values()):
        check_gpu()
    if get_device() not in ("cpu", "mps"):
        return
    if cfg.optim_wrapper.get("type") == "AmpOptimWrapper":
        raise UserError(
            "optim_wrapper of the config is an AmpOptimWrapper (--amp), which MMEngine runs on "
            "GPUs and the like only, and this machine has none: leave it out"
        )
    if cfg.launcher == "none":
        return  # a single process trains with SyncBatchNorm, as with BatchNorm
    for key, value in entries(cfg.to_dict()):
        around, _, name = key.rpartition(".")
        is_norm = name == "type" and value in ("SyncBN", "MMSyncBN")
        if is_norm or name == "use_syncbn" and value or name == "sync_bn" and value is not None:
            raise UserError(
                f"{around if is_norm else key} asks for SyncBatchNorm, which PyTorch trains on "
                "GPUs only, and this machine has none: use BN, or GN, whose statistics do not "
                "depend on the number of processes"
            )
