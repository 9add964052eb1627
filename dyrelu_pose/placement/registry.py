"""The splits that are known: which subclass gives a block's call sites modules of their own.

A recipe for a block of one's own::

    @register_split(MyBlock, act=2)              # MyBlock calls self.act at two sites
    class SplitMyBlock(MyBlock):
        def forward(self, x):
            return self.act2(self.conv2(self.act1(self.conv1(x))) + x)

A block that calls a function such as `F.relu` has no module to split; its recipe names the one
that does the same::

    @register_split(MyNeck, {"relu": nn.ReLU}, relu=1)     # MyNeck calls F.relu once
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from torch import nn

Block = TypeVar("Block", bound=nn.Module)
Split = TypeVar("Split", bound=nn.Module)


class Recipe(NamedTuple):
    """How to split a block; see `register_split`."""

    split: type[nn.Module]
    calls: dict[str, int | Callable[[Any], int]]  # of each activation
    functions: dict[str, Callable[[], nn.Module]]  # those of them that are not modules


RECIPES: dict[type, Recipe] = {}


def register_split(
    block: type[Block],
    functions: dict[str, Callable[[], nn.Module]] | None = None,
    /,
    **calls: int | Callable[[Block], int],
) -> Callable[[type[Split]], type[Split]]:
    """Register the decorated subclass of `block` as its split form.

    A recipe applies to instances of exactly `block`: a subclass may well have another
    `forward`, so it needs a recipe of its own.

    Args:
        block: Class of the blocks to split.
        functions: For each name in `calls` that stands for a function the block calls, what
            builds a module that computes it: `{'relu': nn.ReLU}` for `F.relu`.
        calls: For each shared activation attribute, its number of call sites, or a function
            from the block to that number. `relu=2` replaces `relu` by `relu1` and `relu2`.

    Returns:
        A class decorator that returns the subclass unchanged.

    Raises:
        TypeError: The decorated class is not a subclass of `block`.
        ValueError: `block` has a recipe already, or a function is not among the calls.
    """
    functions = functions or {}
    if unknown := set(functions) - set(calls):
        raise ValueError(f"how often {block.__name__} calls {min(unknown)} is not given")

    def register(split: type[Split]) -> type[Split]:
        if block not in split.mro():
            raise TypeError(f"{split.__name__} must be a subclass of {block.__name__} to split it")
        if block in RECIPES:
            known = RECIPES[block].split.__name__
            raise ValueError(f"{block.__name__} already has the split {known}")
        RECIPES[block] = Recipe(split, calls, functions)
        return split

    return register
