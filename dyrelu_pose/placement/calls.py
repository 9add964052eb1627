"""The calls of PyTorch's functions in a forward pass, for whoever watches them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

# Functions that compute an activation, by name: `F.relu`, `torch.relu` and `Tensor.relu` have one.
FUNCTIONS = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "celu",
    "selu", "gelu", "silu", "mish", "hardswish",
}  # fmt: skip
WRITES = "__setitem__"  # which returns nothing


@dataclass(eq=False)
class Call:
    """A call that computes tensors, or writes some.

    Attributes:
        name: Of the function.
        args: Its positional arguments.
        named: Whether it has others.
        inputs: The tensors among its arguments.
        outputs: The tensors among its results; none before it has run.
    """

    name: str
    args: tuple
    named: bool
    inputs: list[Tensor]
    outputs: Sequence[Tensor] = ()


class Watch:
    """Whoever watches the calls of a forward pass."""

    def before(self, call: Call) -> None:
        """Look at any call before it runs."""

    def after(self, call: Call) -> None:
        """Look at a call that has run, and computed or written tensors."""

    def returned(self, outputs: Sequence[Tensor]) -> None:
        """Look at what the model returned."""


class Calls(TorchFunctionMode):
    """Shows calls to those who watch, as a context around a forward pass.

    Args:
        watches: Who watches.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        super().__init__()
        self._watches = watches

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Run a function of PyTorch and show it."""
        call = Call(
            getattr(function, "__name__", ""), args, bool(kwargs), tensors_in((args, kwargs))
        )
        for watch in self._watches:
            watch.before(call)
        result = function(*args, **(kwargs or {}))
        call.outputs = tensors_in(result)
        if call.outputs or call.name == WRITES:
            for watch in self._watches:
                watch.after(call)
        return result


class FunctionWatch(Watch):
    """Notes who computes an activation by a function, where no module does.

    Args:
        running: The modules that are running, the innermost last; whoever runs the model keeps it.
        activations: Modules of which it is the task to call them.
    """

    def __init__(self, running: Sequence[nn.Module], activations: Collection[nn.Module]) -> None:
        self.calls: list[tuple[nn.Module, str]] = []  # who calls, and what
        self._running = running
        self._activations = activations

    def after(self, call: Call) -> None:
        """Note a call of such a function."""
        if call.name in FUNCTIONS and self._running[-1] not in self._activations:
            self.calls.append((self._running[-1], call.name))


def tensors_in(values: object) -> list[Tensor]:
    """Return the tensors among some values, in any nesting."""
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]
