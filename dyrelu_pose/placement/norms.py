"""Which activations are the only users of a batch normalisation's output."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves


@dataclass
class _Output:
    """What one call of a norm returned, and who used it."""

    norm: str
    tensor: Tensor  # held, so that its id stays its own
    source: Tensor  # what was normalized
    versions: tuple[int, int]  # of both
    users: list[nn.Module | None] = field(default_factory=list)  # None: not an activation

    @property
    def intact(self) -> bool:
        """Whether neither was changed in place since, as by a residual addition."""
        return self.versions == (self.tensor._version, self.source._version)


class NormWatch(TorchFunctionMode):
    """Watches a forward pass, as a context around it, for who uses the output of each norm.

    Args:
        model: Model that will run; its hooks stay, so it is a copy that is thrown away.
        activations: Modules of it that may follow a norm, none of which works in place.
    """

    def __init__(self, model: nn.Module, activations: Iterable[nn.Module]) -> None:
        super().__init__()
        self.outputs: dict[int, _Output] = {}
        self.calls: list[tuple[nn.Module, _Output | None]] = []
        self.inside: nn.Module | None = None
        for name, module in model.named_modules():
            if type(module) is nn.BatchNorm2d:  # not its subclasses, which may do something else
                module.register_forward_hook(self._returned(name))
        for activation in activations:
            activation.register_forward_pre_hook(self._enter)
            activation.register_forward_hook(self._leave)

    def norms(self) -> dict[nn.Module, str]:
        """Return the norm (its dotted name) of each activation that is its one and only user."""
        found = {}
        for activation in {activation for activation, _ in self.calls}:
            inputs = [output for user, output in self.calls if user is activation]
            names = {output.norm if output else None for output in inputs}
            if len(names) == 1 and (name := names.pop()) is not None:
                outputs = [output for output in self.outputs.values() if output.norm == name]
                if all(output.users == [activation] for output in outputs):
                    found[activation] = name
        return found

    def _returned(self, name: str):
        def hook(module: nn.Module, args: tuple, output: Tensor) -> None:
            versions = output._version, args[0]._version
            self.outputs[id(output)] = _Output(name, output, args[0], versions)

        return hook

    def _enter(self, module: nn.Module, args: tuple) -> None:
        output = self.outputs.get(id(args[0]))
        if output:
            output.users.append(module)
        self.calls.append((module, output if output and output.intact else None))
        self.inside = module

    def returned(self, output: object) -> None:
        """Note what the model returned."""
        self._used(output)

    def _used(self, values: object) -> None:
        for leaf in tree_leaves(values):
            if isinstance(leaf, Tensor) and id(leaf) in self.outputs:
                self.outputs[id(leaf)].users.append(None)

    def _leave(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        self.inside = None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Run a function of PyTorch, and note the outputs of norms that it computes with."""
        result = function(*args, **(kwargs or {}))
        if self.inside is None and any(isinstance(r, Tensor) for r in tree_leaves(result)):
            self._used((args, kwargs))
        return result
