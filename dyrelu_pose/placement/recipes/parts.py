"""What several splits do alike."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def checkpointed(block: nn.Module, function: Callable, x: Tensor) -> Tensor:
    """Run `function(x)`, recomputing it in backward where the block was built `with_cp`."""
    if block.with_cp and x.requires_grad:
        return checkpoint(function, x, use_reentrant=False)
    return function(x)


def freeze(module: nn.Module) -> None:
    """Stop a module from training, as MMPose's `_freeze_stages` do for whole stages."""
    module.eval()
    module.requires_grad_(False)


def rows(module: nn.Module) -> int:
    """Count the fused outputs, each followed by one activation; nothing fused: none."""
    return len(getattr(module, "fuse_layers", None) or ())
