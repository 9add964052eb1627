"""Give every call site of a shared activation a module, and so a name, of its own.

Blocks often build one ``self.relu`` and call it at several sites, even at sites of different
widths. A recipe is a subclass of such a block whose ``forward`` calls ``relu1``, ``relu2``, ...;
a block becomes its recipe by assigning ``__class__``. ReLU has no parameters, so state-dict keys
do not move, and nor does the output by a single bit.

A recipe for a block of one's own::

    @register_split(MyBlock, act=2)              # MyBlock calls self.act at two sites
    class SplitMyBlock(MyBlock):
        def forward(self, x):
            return self.act2(self.conv2(self.act1(self.conv1(x))) + x)

A block that calls a function such as ``F.relu`` has no module to split; its recipe names the one
that does the same::

    @register_split(MyNeck, {"relu": nn.ReLU}, relu=1)     # MyNeck calls F.relu once
"""

import copy
import sys
from collections.abc import Callable

from torch import nn

_RECIPES: dict[type, tuple[type, dict, dict]] = {}


def register_split(
    block: type,
    functions: dict[str, Callable[[], nn.Module]] | None = None,
    /,
    **calls: int | Callable[[nn.Module], int],
) -> Callable:
    """Register the decorated subclass of ``block`` as its split form.

    A recipe applies to instances of exactly ``block``: a subclass may well have another
    ``forward``, so it needs a recipe of its own.

    Args:
        block: Class of the blocks to split.
        functions: For each name in ``calls`` that stands for a function the block calls, what
            builds a module that computes it: ``{'relu': nn.ReLU}`` for ``F.relu``.
        calls: For each shared activation attribute, its number of call sites, or a function
            from the block to that number. ``relu=2`` replaces ``relu`` by ``relu1`` and ``relu2``.

    Returns:
        A class decorator that returns the subclass unchanged.

    Raises:
        TypeError: The decorated class is not a subclass of ``block``.
        ValueError: ``block`` has a recipe already, or a function is not among the calls.
    """
    functions = functions or {}
    if unknown := set(functions) - set(calls):
        raise ValueError(f"how often {block.__name__} calls {min(unknown)} is not given")

    def register(split: type) -> type:
        if not issubclass(split, block):
            raise TypeError(f"{split.__name__} must be a subclass of {block.__name__} to split it")
        if block in _RECIPES:
            raise ValueError(
                f"{block.__name__} already has the split {_RECIPES[block][0].__name__}"
            )
        _RECIPES[block] = split, calls, functions
        return split

    return register


def split_shared(module: nn.Module) -> int:
    """Turn each block in ``module`` that has a recipe into its split form, in place.

    Args:
        module: Any module; it is searched with all its descendants.

    Returns:
        The number of blocks that changed class; 0 when everything was split before.
    """
    _load_mmpose_recipes()
    blocks = [block for block in module.modules() if type(block) in _RECIPES]
    for block in blocks:
        block.__class__, calls, functions = _RECIPES[type(block)]
        for name, count in calls.items():
            # A block that never calls its activation (one branch, nothing fused) may lack it.
            shared = functions[name]() if name in functions else block._modules.pop(name, None)
            for i in range(count(block) if callable(count) else count):
                block.add_module(f"{name}{i + 1}", copy.deepcopy(shared).train(block.training))
    return len(blocks)


def _load_mmpose_recipes() -> None:
    # A model can hold mmpose's blocks only if mmpose is loaded, so this never has to load it.
    if "mmpose.models" in sys.modules:
        from . import recipes  # noqa: F401
