"""What a pass over one kind of map fixes, made once and kept: launches, and where results lie.

All small results of a pass lie in one allocation, except gradients that leave it: a view of a part
takes as long on the host as an allocation of its own. Kernels that are started again take addresses
instead of views.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from .launch import ALIGNED, Launch
from .maps import Planes, planes, planes_in_order_of

MOST = 1024  # plans that are kept, for as many kinds of map
LINE = 128  # bytes between the starts of two parts, as lines of the L2 cache

Plan = TypeVar("Plan")


class Room:
    """An allocation by its parts.

    Args:
        dtype: Of all parts.
        sizes: Elements of each part, none is fine.
    """

    __slots__ = ("bytes", "dtype", "elements", "starts")

    def __init__(self, dtype: torch.dtype, *sizes: int) -> None:
        self.dtype = dtype
        line = LINE // dtype.itemsize
        self.starts, self.elements = [], 0
        for size in sizes:
            self.starts.append(self.elements)
            self.elements += -(-size // line) * line
        self.bytes = [start * dtype.itemsize for start in self.starts]

    def allocate(self, x: Tensor) -> Tensor:
        """Return memory for the parts on the device of `x`."""
        return x.new_empty(self.elements, dtype=self.dtype)

    def addresses(self, memory: Tensor) -> list[int]:
        """Return where the parts start."""
        first = memory.data_ptr()
        return [first + start for start in self.bytes]

    def views(self, memory: Tensor) -> list[Tensor]:
        """Return the memory from the start of each part on."""
        return [memory[start:] for start in self.starts]


class Steps:
    """The launches of a pass, and how they start: again, once all of them have.

    Args:
        launches: In order; None for one that is left out.
    """

    __slots__ = ("launches", "repeats")

    def __init__(self, *launches: Launch | None) -> None:
        # Called with pointers as tensors, and as addresses: see `Launch`.
        self.launches: Any = launches
        self.repeats: Any = None

    def addresses(self, tensors: Sequence[Tensor | None]) -> list[int] | None:
        """Return the addresses of tensors if the launches can start again with them."""
        return None if self.repeats is None else addresses(tensors)

    def learn(self, tensors: Sequence[Tensor | None]) -> None:
        """After the launches have started with pointers to tensors, see if they can again."""
        if self.repeats is None and addresses(tensors) is not None:
            repeats = [launch and launch.again() for launch in self.launches]
            if all(a or not b for a, b in zip(repeats, self.launches, strict=True)):
                self.repeats = repeats


def addresses(tensors: Sequence[Tensor | None]) -> list[int] | None:
    """Return the addresses of tensors, 0 for None, or None if one is not aligned."""
    found = [0 if tensor is None else tensor.data_ptr() for tensor in tensors]
    bits = 0
    for at in found:
        bits |= at
    return None if bits % ALIGNED else found


class Plans(dict[Hashable, Plan]):
    """Plans by what they are made for; the oldest goes when there are too many."""

    def keep(self, key: Hashable, plan: Plan) -> Plan:
        """Keep a plan, and return it."""
        while len(self) >= MOST:
            self.pop(next(iter(self)), None)
        self[key] = plan
        return plan


def without_memory(x: Planes) -> Planes:
    """Return planes with the device of a map, for a plan to keep."""
    return x._replace(tensor=x.tensor.new_empty(0))


class Backwards:
    """Plans of a site's backward pass, by strides of the gradient.

    Args:
        make: Makes one for the strides of the gradient, as planes.
    """

    def __init__(self, make: Callable[[tuple[int, int, int]], Any]) -> None:
        self.make = make
        self.plans: Plans[Any] = Plans()

    def of(self, x: Tensor, grad: Tensor) -> tuple[Any, Tensor]:
        """Return the plan, and the gradient: a copy where it has another order than `x`."""
        plan = self.plans.get((grad.stride(), grad.dtype))
        if plan is not None:
            return plan, grad
        view = planes_in_order_of(planes(x), grad)
        key = (view.tensor.stride(), grad.dtype)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans.keep(key, self.make(view.strides))
        return plan, view.tensor
