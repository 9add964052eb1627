"""What becomes of an activation's input: whether anything reads it after the activation has run.

An activation that works in place overwrites its input. That is only a matter of memory if nobody
reads the input again; if somebody does, as the shortcut of a pre-activation block, it is a part of
what the model computes. Others may overwrite it as well, which a layer that needs its input in
backward has to know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.autograd.graph import increment_version
from torch.nn.parameter import is_lazy

from .calls import Call, Watch


@dataclass(eq=False)
class _Memory:
    """A piece of memory that activations read, and write if they work in place."""

    given: bool = False  # to the model, by its caller
    users: list[nn.Module] = field(default_factory=list)  # activations, as they ran


class RereadWatch(Watch):
    """Watches a forward pass for who reads the input of an activation.

    Each activation runs out of place meanwhile, so that its output can be told from its input.

    Args:
        activations: Modules of a model that will run; their hooks stay, so it is a copy.
    """

    def __init__(self, activations: Iterable[nn.Module]) -> None:
        self.inplace: set[nn.Module] = set()
        self.keeps: set[nn.Module] = set()  # activations of which an input is the caller's
        self.reread: set[nn.Module] = set()
        self.overwritten: set[nn.Module] = set()  # activations of which an input is, later
        self._inputs: list[tuple[nn.Module, Tensor, _Memory, int, int]] = []
        # By storage: the memory it is in the model itself, and how many activations had used that
        # when the tensor was made. The tensors are held, so that a storage's number stays its own.
        self._known: dict[int, tuple[_Memory, int]] = {}
        self._held: list[Tensor] = []
        for activation in activations:
            if getattr(activation, "inplace", False):
                self.inplace.add(activation)
                activation.inplace = False  # pyright: ignore[reportArgumentType]
            activation.register_forward_hook(self._ran)

    def given(self, images: Tensor) -> None:
        """Note what the model is given, which is its caller's."""
        self._know(images, _Memory(given=True), 0)

    def returned(self, outputs: Sequence[Tensor]) -> None:
        """Note what the model returned, and whose inputs were written to."""
        self._read(outputs)
        for module, x, memory, users, version in self._inputs:
            readers = [user for user in memory.users[users:] if user not in self.inplace]
            if x._version > version + len(readers):
                self.overwritten.add(module)

    def _know(self, tensor: Tensor, memory: _Memory, users: int) -> None:
        self._known[_storage(tensor)] = memory, users
        self._held.append(tensor)

    def _ran(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        x = args[0]
        if _storage(x) not in self._known:
            self._know(x, _Memory(), 0)
        memory, _ = self._known[_storage(x)]
        memory.users.append(module)
        if memory.given:
            self.keeps.add(module)
        increment_version(x)  # what is put there may overwrite it
        self._inputs.append((module, x, memory, len(memory.users), x._version))
        if module in self.inplace:
            self._know(output, memory, len(memory.users))

    def after(self, call: Call) -> None:
        """Note the inputs of activations that a call reads."""
        self._read(call.inputs)

    def _read(self, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            if is_lazy(tensor):  # which has no memory yet
                continue
            if known := self._known.get(_storage(tensor)):
                memory, users = known
                self.reread.update(memory.users[users:])


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
