"""Put modules in the places of others."""

from collections.abc import Mapping

from torch import nn


def replace(model: nn.Module, successors: Mapping[nn.Module, nn.Module]) -> None:
    """Replace modules below `model`, in place, under every name that they have.

    A module has several where, say, a model keeps an `nn.Sequential` and slices of it.
    """
    for parent in list(model.modules()):
        for name, child in parent._modules.items():
            if child is not None and child in successors:
                parent._modules[name] = successors[child]
