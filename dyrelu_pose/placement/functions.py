"""Calls of functions such as `F.relu`, which compute an activation where no module does."""

from collections.abc import Collection, Sequence

from torch import nn
from torch.overrides import TorchFunctionMode

# By name, which is the same for `F.relu`, `torch.relu` and `Tensor.relu`.
FUNCTIONS = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "celu",
    "selu", "gelu", "silu", "mish", "hardswish",
}  # fmt: skip


class FunctionWatch(TorchFunctionMode):
    """Watches a forward pass, as a context around it, for such calls.

    Args:
        running: The modules that are running, the innermost last; whoever runs the model keeps it.
        activations: Modules of which it is the task to call them.
    """

    def __init__(self, running: Sequence[nn.Module], activations: Collection[nn.Module]) -> None:
        super().__init__()
        self.calls: list[tuple[nn.Module, str]] = []  # who calls, and what
        self._running = running
        self._activations = activations

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Run a function of PyTorch, and note it if it computes an activation."""
        name = getattr(function, "__name__", "")
        if name in FUNCTIONS and self._running[-1] not in self._activations:
            self.calls.append((self._running[-1], name))
        return function(*args, **(kwargs or {}))
