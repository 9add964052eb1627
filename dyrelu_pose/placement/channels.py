"""Which dimension of a map holds its channels: (N, C, *) or, as in ConvNeXt, (N, *, C).

Convolutions, batch norms, pooling and resizing say that it is the first one, fully connected layers
and layer norms the last one, and additions and the like leave it where it is. Where it is not known
from them, the maps of two input sizes tell: height and width change, the channels do not.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from torch import Tensor, nn

from .calls import Call, Watch

FIRST, LAST = 1, -1
DIMENSION = "channel_dimension"  # attribute of a tensor
# Names of functions whose result has its channels in that dimension, or where the input has them.
MAKES_FIRST = {
    "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "batch_norm", "group_norm", "instance_norm", "interpolate", "upsample", "pixel_shuffle",
    "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
}  # fmt: skip
MAKES_LAST = {"linear", "layer_norm", "rms_norm"}
LEAVES = {
    "add", "add_", "__add__", "__iadd__", "__radd__", "sub", "__sub__", "__isub__", "__rsub__",
    "mul", "mul_", "__mul__", "__imul__", "__rmul__", "div", "__truediv__", "cat",
    "concat", "chunk", "split", "clone", "contiguous", "to", "float", "half", "dropout",
    "dropout2d", "sigmoid", "pad",
    "empty_like",  # a batch norm on the meta device
}  # fmt: skip


class ChannelsWatch(Watch):
    """Watches a forward pass for where maps have their channels.

    Args:
        activations: Modules of a model that will run; their hooks stay, so it is a copy.
    """

    def __init__(self, activations: Iterable[nn.Module]) -> None:
        self._seen: dict[nn.Module, set[int | None]] = defaultdict(set)
        for activation in activations:
            activation.register_forward_hook(self._ran)

    def given(self, images: Tensor) -> None:
        """Note what the model is given, which is (N, 3, H, W)."""
        setattr(images, DIMENSION, FIRST)

    def dimension(self, activation: nn.Module) -> int | None:
        """Return `FIRST` or `LAST` for what an activation that ran has seen, or None: not known."""
        (dimension, *others) = self._seen[activation]
        return None if others else dimension

    def _ran(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        dimension = getattr(args[0], DIMENSION, None)
        self._seen[module].add(dimension)
        setattr(output, DIMENSION, dimension)

    def after(self, call: Call) -> None:
        """Note where what a call computed has channels."""
        if call.name in MAKES_FIRST:
            dimension = FIRST
        elif call.name in MAKES_LAST:
            dimension = LAST
        elif call.name in LEAVES or (call.name == "__getitem__" and _is_of_slices(call.args[1])):
            # Gates, biases and the like broadcast to the layout of a map.
            maps = [tensor for tensor in call.inputs if _has_positions(tensor)] or call.inputs
            known = {getattr(tensor, DIMENSION, None) for tensor in maps}
            dimension = known.pop() if len(known) == 1 else None
        else:
            return
        for tensor in call.outputs:
            setattr(tensor, DIMENSION, dimension)


def _is_of_slices(index: object) -> bool:
    """Whether an index leaves every dimension where it is."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(part, slice) or part is Ellipsis for part in parts)


def _has_positions(tensor: Tensor) -> bool:
    """Whether it has more than channels, wherever these are."""
    sizes = tensor.shape[1:]
    return math.prod(sizes) > max(sizes, default=1)


def dimension_by_size(
    shapes: Sequence[Sequence[int]], others: Sequence[Sequence[int]]
) -> int | None:
    """Return the dimension, `FIRST` or `LAST`, that alone stays the same at another input size.

    Args:
        shapes: Of the maps that an activation sees, call by call.
        others: Likewise, at a height and a width that both differ.
    """
    if [len(shape) for shape in shapes] != [len(shape) for shape in others]:
        return None
    first, last = (
        all(shape[d] == other[d] for shape, other in zip(shapes, others, strict=True))
        for d in (FIRST, LAST)
    )
    if first == last:
        return None
    return FIRST if first else LAST
