"""A trained model, ready to be used as it is: to predict, to be looked into, to be exported."""

from collections.abc import Mapping
from pathlib import Path

from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import Tensor

from dyrelu_pose.compat.fit import load_whole
from dyrelu_pose.errors import UserError


def load_trained(cfg: Config, checkpoint: str | Path, device: str = "cpu") -> BaseModel:
    """Build the model of a config for evaluation and load its weights, every tensor of them.

    A ReLU checkpoint in a DyReLU model counts as whole: its new layers keep their start, and a line
    in the log says so.

    Args:
        cfg: The config.
        checkpoint: File or URL of the weights; of the averaged ones where a run kept both.
        device: Where the model shall be, such as `'cpu'` or `'cuda:0'`.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: The checkpoint is missing, damaged, or none.
        Misfit: It is of another model.
        UserError: Weights are not finite, or the device is absent.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import MODELS

    model = MODELS.build(cfg.model)
    load_whole(model, str(checkpoint), cfg.filename or "this config")
    check_finite(model.state_dict(), checkpoint)
    try:
        model.to(device)
    except (AssertionError, RuntimeError) as error:  # PyTorch's, without CUDA or such a device
        raise UserError(f"device {device} cannot be used: {error}") from error
    model.eval()  # a statement: the eval() of MMPose's models may return None
    return model


def check_finite(weights: Mapping[str, Tensor], checkpoint: str | Path) -> None:
    """Check that no weight is NaN or infinite, as those of a training that diverged are.

    Raises:
        UserError: One is; the message names the checkpoint and the tensor.
    """
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise UserError(
                f"checkpoint {checkpoint}: {name} has values that are not finite, the training "
                "diverged: take an earlier checkpoint"
            )
