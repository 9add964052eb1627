"""Loads weights into a model that is going to be used as it is, so every tensor has to fit."""

from pathlib import Path

from torch import nn

from dyrelu_pose.compat.checkpoints import misfits
from dyrelu_pose.errors import UserError

SHOWN = 3  # lines of a long list of tensors


class WeightsError(UserError):
    """The weights are those of another model."""


def load_weights(model: nn.Module, checkpoint: str | Path) -> None:
    """Load a checkpoint, or its EMA weights where it has them, as MMEngine saves them.

    A ReLU checkpoint in a DyReLU model counts as whole: its new layers keep their start, and a line
    in the log says so.

    Raises:
        CheckpointError: The file is missing, damaged, or not a checkpoint.
        WeightsError: A tensor is missing, left over, or of another shape.
    """
    if lines := misfits(model, str(checkpoint)):
        shown = "\n".join(f"  {line[:200]}" for line in lines[:SHOWN])
        raise WeightsError(f"{checkpoint} is not of this config's model:\n{shown}")
