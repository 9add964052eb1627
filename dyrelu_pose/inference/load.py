"""A trained model that is ready to be looked into, with its activation sites."""

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from dyrelu_pose.compat.checkpoints import misfits
from dyrelu_pose.config.load import input_size_of
from dyrelu_pose.errors import UserError
from dyrelu_pose.placement import Site, probe, split_shared

SHOWN = 3  # tensors named in an error


def load_model(cfg: Config, checkpoint: str, device: str) -> tuple[nn.Module, list[Site]]:
    """Build the model of a config, load its weights and find its sites.

    Shared activations are split, in a ReLU model too, so that each site has a module of its own.

    Args:
        cfg: The config.
        checkpoint: File or URL of the weights.
        device: Where the model shall be, such as `'cpu'` or `'cuda:0'`.

    Returns:
        The model in evaluation mode, and its sites in running order; without those that several
        calls share, whose inputs would be mixed up.

    Raises:
        UserError: The checkpoint cannot be read, or is of another model; or the device is absent.
    """
    init_default_scope(cfg.get("default_scope", "mmpose"))
    from mmpose.registry import MODELS

    model = MODELS.build(cfg.model)
    split_shared(model)
    sites = [site for site in probe(model, input_size_of(cfg)) if not site.obstacle]
    if lines := misfits(model, checkpoint):
        raise UserError(
            f"checkpoint {checkpoint} does not fit the model of {cfg.filename}: "
            f"{_shortened(lines[0])}; take the config that the model was trained with"
        )
    try:
        model.to(device)
    except (AssertionError, RuntimeError) as error:  # PyTorch's, without CUDA or such a device
        raise UserError(f"device {device} cannot be used: {error}") from error
    model.eval()  # a statement: the eval() of MMPose's models may return None
    return model, sites


def _shortened(line: str) -> str:
    """Return the line that PyTorch gives for one kind of misfit, with the first of its tensors."""
    reason, *names = line.split(", ")
    more = f" and {len(names) + 1 - SHOWN} more" if len(names) >= SHOWN else ""
    return ", ".join([reason, *names[: SHOWN - 1]]).rstrip(". ") + more
