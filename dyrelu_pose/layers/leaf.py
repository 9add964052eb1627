"""Layers as single nodes of the graphs that torch.fx records, as those of torch.nn are."""

from typing import cast

from torch import Tensor, nn
from torch.fx import Proxy, Tracer


def call_in_graph(layer: nn.Module, x: Proxy) -> Tensor:
    """Return the call of a layer in the graph that `x`, its input, is part of."""
    tracer = cast(Tracer, x.tracer)  # the only one that calls modules
    call = tracer.create_proxy("call_module", tracer.path_of_module(layer), (x,), {})
    return cast(Tensor, call)
