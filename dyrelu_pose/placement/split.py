"""Give every call site of a shared activation a module, and so a name, of its own.

Blocks often build one `self.relu` and call it at several sites, even at sites of different
widths. A recipe is a subclass of such a block whose `forward` calls `relu1`, `relu2`, ...;
a block becomes its recipe by assigning `__class__`. ReLU has no parameters, so state-dict keys
do not move, and nor does the output by a single bit.
Recipes are registered in `registry`.
"""

import copy
import sys

from torch import nn

from .registry import RECIPES
from .replace import hooks_of


def split_shared(module: nn.Module) -> int:
    """Turn each block in `module` that has a recipe into its split form, in place.

    A hook of a shared activation runs at each of its calls, as before; its handle no longer removes
    it.

    Args:
        module: Any module; it is searched with all its descendants.

    Returns:
        The number of blocks that changed class; 0 when everything was split before.
    """
    _load_mmpose_recipes()
    blocks = [block for block in module.modules() if type(block) in RECIPES]
    for block in blocks:
        block.__class__, calls, functions = RECIPES[type(block)]
        for name, count in calls.items():
            # A block that never calls its activation (one branch, nothing fused) may lack it.
            shared = functions[name]() if name in functions else block._modules.pop(name, None)
            for i in range(count(block) if callable(count) else count):
                if shared is None:
                    raise AttributeError(f"{type(block).__name__} splits {name}, which it lacks")
                own = copy.deepcopy(shared).train(block.training)
                vars(own).update({key: copy.copy(value) for key, value in hooks_of(shared).items()})
                block.add_module(f"{name}{i + 1}", own)
    return len(blocks)


def _load_mmpose_recipes() -> None:
    # A model can hold mmpose's blocks only if mmpose is loaded, so this never has to load it.
    if "mmpose.models" in sys.modules:
        from . import recipes  # noqa: F401
