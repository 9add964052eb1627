"""Which activations are the only users of a batch normalisation's output, or of its sum."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor, nn

from .calls import Call, Watch

ADDITIONS = ("add", "__add__", "__radd__")  # names of functions
IN_PLACE = ("add_", "__iadd__")


class Norms(NamedTuple):
    """The norms (their dotted names) that an activation behind them can compute.

    One whose output is its input; or, if `added`, those of one or both summands of its input.
    """

    names: tuple[str, ...]
    added: bool


@dataclass(eq=False)
class _Map:
    """What one call of a norm returned, or the sum of that and another map, and who used it."""

    tensor: Tensor  # held, so that its id stays its own
    norm: str = ""
    summands: tuple["_Map | None", ...] = ()  # None: not a norm's output
    sources: tuple[Tensor, ...] = ()  # what a layer would read in its place
    versions: tuple[int, ...] = ()  # of these and of the tensor
    users: list["nn.Module | _Map | None"] = field(default_factory=list)  # None: something else

    def __post_init__(self) -> None:
        self.versions = self._versions()

    @property
    def intact(self) -> bool:
        """Whether neither it nor what it was made of was changed in place since."""
        return self.versions == self._versions()

    @property
    def norms(self) -> Norms:
        """What of it a layer can compute."""
        if not self.summands:
            return Norms((self.norm,), added=False)
        alone = (s.norm for s in self.summands if s and s.users == [self])
        return Norms(tuple(alone), added=True)

    @property
    def sources_last(self) -> bool:
        """Whether what it is a sum of stays as it is to the end, and so for a backward pass."""
        return not self.summands or self.versions[1:] == self._versions()[1:]

    def _versions(self) -> tuple[int, ...]:
        return tuple(t._version for t in (self.tensor, *self.sources))


class NormWatch(Watch):
    """Watches a forward pass for who uses the output of each norm.

    Args:
        model: Model that will run; its hooks stay, so it is a copy that is thrown away.
        activations: Modules of it that may follow a norm, none of which works in place.
    """

    def __init__(self, model: nn.Module, activations: Iterable[nn.Module]) -> None:
        self.outputs: list[_Map] = []  # of norms
        self.maps: dict[int, _Map] = {}  # these and sums, by the ids of their tensors
        self.calls: list[tuple[nn.Module, _Map | None]] = []
        self.inside: nn.Module | None = None
        self.summands: tuple[_Map | None, ...] = ()  # of the call that is running
        for name, module in model.named_modules():
            # Not its subclasses, or one with a hook, which may do something else.
            if type(module) is nn.BatchNorm2d and not module._forward_hooks:
                module.register_forward_hook(self._returned(name))
        for activation in activations:
            activation.register_forward_pre_hook(self._enter)
            activation.register_forward_hook(self._leave)

    def norms(self) -> dict[nn.Module, Norms]:
        """Return the norms of each activation that is the one and only user of them, or of a sum.

        A summand's norm counts if its output goes to the sum alone.
        """
        found = {}
        for activation in {activation for activation, _ in self.calls}:
            inputs = [given for user, given in self.calls if user is activation]
            kinds = {given.norms if given else None for given in inputs}
            if len(kinds) == 1 and (norms := kinds.pop()) and norms.names:
                outputs = [output for output in self.outputs if output.norm in norms.names]
                if all(_only_user(output, norms) is activation for output in outputs):
                    found[activation] = norms
        return found

    def _returned(self, name: str):
        def hook(module: nn.Module, args: tuple, output: Tensor) -> None:
            self.outputs.append(_Map(output, norm=name, sources=args[:1]))
            self.maps[id(output)] = self.outputs[-1]

        return hook

    def _enter(self, module: nn.Module, args: tuple) -> None:
        given = self.maps.get(id(args[0]))
        if given:
            given.users.append(module)
        self.calls.append((module, given if given and given.intact else None))
        self.inside = module

    def _leave(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        self.inside = None

    def before(self, call: Call) -> None:
        """Note what a call adds up, which it may overwrite."""
        self.summands = self._summands(call)

    def after(self, call: Call) -> None:
        """Note the outputs of norms that a call computed with."""
        if self.inside is not None:
            return
        added = None
        if self.summands:
            pairs = zip(self.summands, call.args, strict=True)
            sources = tuple(s.sources[0] if s else x for s, x in pairs)
            added = _Map(call.outputs[0], summands=self.summands, sources=sources)
        self._used(call.inputs, added)
        if added:
            self.maps[id(added.tensor)] = added

    def returned(self, outputs: Sequence[Tensor]) -> None:
        """Note what the model returned."""
        self._used(outputs, None)

    def _used(self, tensors: Sequence[Tensor], user: _Map | None) -> None:
        for tensor in tensors:
            if id(tensor) in self.maps:
                self.maps[id(tensor)].users.append(user)

    def _summands(self, call: Call) -> tuple[_Map | None, ...]:
        """Return the outputs of norms among what is added here, if a layer could add it up."""
        if call.name not in (*ADDITIONS, *IN_PLACE) or len(call.args) != 2 or call.named:
            return ()
        first, second = call.args
        if not (isinstance(first, Tensor) and isinstance(second, Tensor)):
            return ()
        if (first.shape, first.dtype) != (second.shape, second.dtype):
            return ()
        maps = [self.maps.get(id(x)) for x in call.args]
        summands = tuple(m if m and m.norm and m.intact else None for m in maps)
        overwrites_shortcut = call.name in IN_PLACE and summands[0] is None
        return summands if any(summands) and not overwrites_shortcut else ()


def _only_user(output: _Map, norms: Norms) -> nn.Module | None:
    """Return the activation that alone uses the output of one of `norms`, in their way."""
    used, through = output, Norms((output.norm,), added=False)
    if len(output.users) == 1 and isinstance(output.users[0], _Map):
        used, through = output.users[0], output.users[0].norms
    if through != norms or not used.sources_last or len(used.users) != 1:
        return None
    (user,) = used.users
    return user if isinstance(user, nn.Module) else None
