"""Put modules in the places of others."""

from collections.abc import Mapping

from torch import nn

# what is called around `forward`, and around backward
HOOKS = [name for name in vars(nn.Module()) if name.startswith(("_forward_", "_backward_"))]
HOOKS.append("_is_full_backward_hook")


def hooks_of(module: nn.Module) -> dict:
    """Return the attributes that hold a module's hooks around its passes, where it has some."""
    return {name: vars(module)[name] for name in HOOKS if vars(module)[name]}


def replace(model: nn.Module, successors: Mapping[nn.Module, nn.Module]) -> None:
    """Replace modules below `model`, in place, under every name that they have.

    A module has several where, say, a model keeps an `nn.Sequential` and slices of it. The hooks
    around its passes go to its successor, and are removed there by the handles that they have.
    """
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child is not None and child in successors:
                vars(successors[child]).update(hooks_of(child))
                parent._modules[name] = successors[child]
