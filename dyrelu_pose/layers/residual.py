"""A residual sum that is not computed, but handed to the DyReLU behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.utils._pytree import tree_map_only

from dyrelu_pose.ops.backends import is_traced
from dyrelu_pose.ops.norm import Running

from .folded_norm import HeldBatchNorm2d
from .leaf import call_in_graph

ADDITIONS = {torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__}
OF_EITHER = {"shape", "size", "ndim", "dim", "dtype", "device"}  # the same of a summand and the sum
OPERATORS = (
    "abs", "bool", "eq", "floordiv", "ge", "getitem", "gt", "iter", "le", "len", "lt", "matmul",
    "mod", "mul", "ne", "neg", "pow", "rfloordiv", "rmatmul", "rmul", "rpow", "rsub", "rtruediv",
    "sub", "truediv",
)  # fmt: skip


class DeferredBatchNorm2d(HeldBatchNorm2d):
    """An `nn.BatchNorm2d` whose output is added to something that a DyReLU is applied to.

    A norm becomes one by assigning `__class__`, and an `nn.BatchNorm2d` again in the same way.
    """

    def forward(self, x: Tensor) -> "Tensor | ResidualSum":
        """Return the normalized `x` (N, C, H, W) as a sum of one summand.

        While `torch.jit.trace` records, it is the tensor.
        """
        if isinstance(x, Proxy):
            return call_in_graph(self, x)
        if is_traced():
            return super().forward(x)
        return ResidualSum((Summand(x, self),))


@dataclass(eq=False)
class Summand:
    """A map (N, C, H, W), and the norm that it goes through, if any.

    Attributes:
        updated: Whether the norm has this batch in its running statistics.
    """

    x: Tensor
    norm: DeferredBatchNorm2d | None = None
    updated: bool = False

    def tensor(self, update: bool) -> Tensor:
        """Compute the summand; with `update` the norm takes the batch, unless it did before."""
        if self.norm is None:
            return self.x
        update = update and not self.updated
        self.updated |= update
        return self.norm.normalized(self.x, update)

    def running(self) -> Running | None:
        """Return the running statistics that the batch goes into, if it has not yet."""
        if self.norm is None or self.updated:
            return None
        self.updated = True
        return self.norm.running()


class ResidualSum:
    """The sum of a batch-normalized map and a shortcut, before any of it is computed.

    A DyReLU takes it apart and computes the whole. To everything else it is the tensor, which is
    computed for each use. Maps that differ in shape, dtype or device are added at once.

    Args:
        summands: Two, the first of which has a norm, or one.
    """

    def __init__(self, summands: tuple[Summand, ...]) -> None:
        self.summands = summands
        self.recorded = torch.is_grad_enabled()

    def tensor(self, update: bool = False) -> Tensor:
        """Compute the sum.

        Args:
            update: Whether running statistics are updated, unless they were before.
        """
        maps = [summand.tensor(update) for summand in self.summands]
        return maps[0] if len(maps) == 1 else maps[0] + maps[1]

    def check_recorded(self) -> None:
        """Raise where the sum comes out of a checkpoint that detaches it from what made it.

        Raises:
            RuntimeError: It was made without autograd, and is used with it.
        """
        if torch.is_grad_enabled() and not self.recorded:
            raise RuntimeError(
                "a residual sum that a DyReLU computes (fuse_norm=True) was made without autograd, "
                "as in torch.utils.checkpoint with use_reentrant=True: take use_reentrant=False, "
                "or fuse_norm=False for this site"
            )

    def add(self, other: Any, **options) -> "Tensor | ResidualSum":
        """Return the sum with another map, as `torch.add` does."""
        return self.tensor(update=True).add(other, **options) if options else _added(self, other)

    def __add__(self, other: Any) -> "Tensor | ResidualSum":
        return _added(self, other)

    def add_(self, other: Any, **options) -> "ResidualSum":
        """Become the sum with another map, as a tensor does."""
        return self._become(self.add(other, **options))

    def __iadd__(self, other: Any) -> "ResidualSum":
        return self._become(_added(self, other))

    def __radd__(self, other: Any) -> "Tensor | ResidualSum":
        return _added(other, self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a protocol that a tensor may have and this has not
            raise AttributeError(name)
        if name in OF_EITHER:
            return getattr(self.summands[0].x, name)
        found = getattr(self.tensor(update=True), name)
        if name.endswith("_"):  # in place
            return lambda *args, **options: self._become(found(*args, **options))
        return found

    def _become(self, value: "Tensor | ResidualSum") -> "ResidualSum":
        self.summands = value.summands if isinstance(value, ResidualSum) else (Summand(value),)
        return self

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        """Run a function of PyTorch on the tensor, but for an addition."""
        if function in ADDITIONS and len(args) == 2 and not kwargs:
            return _added(*args)
        args, kwargs = tree_map_only(
            cls, lambda sum_: sum_.tensor(update=True), (args, kwargs or {})
        )
        return function(*args, **kwargs)


def _of_tensor(name: str) -> Callable:
    return lambda self, *operands: getattr(self.tensor(update=True), name)(*operands)


for _name in OPERATORS:  # looked up on the class, past `__getattr__`
    setattr(ResidualSum, f"__{_name}__", _of_tensor(f"__{_name}__"))


def _added(first: Any, second: Any) -> "Tensor | ResidualSum":
    """Return a sum of two summands where that can be, else what PyTorch makes of it."""
    summands = [
        summand
        for value in (first, second)
        for summand in (value.summands if isinstance(value, ResidualSum) else (Summand(value),))
    ]
    summands.sort(key=lambda summand: summand.norm is None)
    if len(summands) == 2 and summands[0].norm and _alike(*(summand.x for summand in summands)):
        return ResidualSum(tuple(summands))
    first, second = (
        value.tensor(update=True) if isinstance(value, ResidualSum) else value
        for value in (first, second)
    )
    return first + second


def _alike(first: object, second: object) -> bool:
    return (
        isinstance(first, Tensor)
        and isinstance(second, Tensor)
        and (first.shape, first.dtype, first.device) == (second.shape, second.dtype, second.device)
    )
