"""Linear sites: maps that a convolution made and that reach the next one without an activation.

A candidate is the output of an MMCV `ConvModule` that was built without activation, such as the
projection at the end of an inverted residual. It is a linear site if, wherever its values go in a
forward pass, each path leads through sums, resizing, normalization and the like to a convolution or
a fully connected layer. A path that meets anything else (an activation behind a residual addition,
a product with a gate, a maximum) or the output of the model (a final layer) makes it none.
"""

from collections.abc import Iterable, Sequence

from mmcv.cnn import ConvModule
from torch import Tensor, nn

from .calls import Call, Watch

NAME = "project"  # of the layer, in its ConvModule
ORIGINS = "origins"  # attribute of a tensor: the candidates whose outputs are in it
WEIGHTS = {"conv1d", "conv2d", "conv3d", "conv_transpose2d", "linear"}
# Names of functions that keep a linear site linear: combinations of values, and what selects them.
PASSES = {
    "add", "add_", "__add__", "__iadd__", "__radd__", "sub", "sub_", "__sub__", "__isub__",
    "sum", "mean", "avg_pool2d", "adaptive_avg_pool2d", "interpolate", "upsample",
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "dropout", "dropout2d",
    "empty_like",  # a batch norm on the meta device
    "cat", "concat", "stack", "chunk", "split", "unbind", "__getitem__", "pad",
    "view", "reshape", "flatten", "unflatten", "permute", "transpose", "squeeze", "unsqueeze",
    "pixel_shuffle", "pixel_unshuffle", "contiguous", "clone", "to", "float",
}  # fmt: skip


class Unused(nn.Module):
    """Stands at a candidate until a layer is put there, and passes its map on."""

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` itself."""
        return x


class ProjectedConvModule(ConvModule):
    """A `ConvModule` without activation whose output goes through its child `project`."""

    project: nn.Module

    def forward(self, *args, **kwargs) -> Tensor:
        """Compute what a `ConvModule` does, and apply `project`."""
        return self.project(super().forward(*args, **kwargs))


def open_site(module: nn.Module) -> None:
    """Give a candidate the child `project`, in place; no key of its state dict moves."""
    module.__class__ = ProjectedConvModule
    module.add_module(NAME, Unused().train(module.training))


def open_sites(model: nn.Module) -> list[Unused]:
    """Open all candidates of a model, in place, and return what stands there."""
    for module in list(model.modules()):
        if type(module) is ConvModule and not module.with_activation:
            open_site(module)
    return [module for module in model.modules() if isinstance(module, Unused)]


def norm_of(module: nn.Module) -> str | None:
    """Return the name, in a candidate, of the BatchNorm2d that yields its output, if one does."""
    assert isinstance(module, ConvModule)
    yields = module.order.index("norm") > module.order.index("conv")
    alone = module.efficient_conv_bn_eval_forward is None  # or it is skipped in evaluation
    return module.norm_name if yields and alone and type(module.norm) is nn.BatchNorm2d else None


class LinearWatch(Watch):
    """Follows the output of each candidate through a forward pass.

    Args:
        candidates: Modules of the model that will run, whose hooks stay.
    """

    def __init__(self, candidates: Iterable[Unused]) -> None:
        self.projected: set[nn.Module] = set()
        self.bent: set[nn.Module] = set()
        for candidate in candidates:
            candidate.register_forward_hook(_mark)

    def sites(self) -> set[nn.Module]:
        """Return the candidates that are linear sites."""
        return self.projected - self.bent

    def after(self, call: Call) -> None:
        """Note what a call does to the outputs of candidates."""
        origins = _origins(call.inputs)
        if call.name in WEIGHTS:
            self.projected |= origins
        elif call.name not in PASSES:
            self.bent |= origins
        elif origins:
            for tensor in call.outputs:
                setattr(tensor, ORIGINS, origins)

    def returned(self, outputs: Sequence[Tensor]) -> None:
        """Note what the model returned."""
        self.bent |= _origins(outputs)


def _mark(module: nn.Module, args: tuple, output: Tensor) -> None:
    setattr(output, ORIGINS, frozenset([module]))


def _origins(tensors: Sequence[Tensor]) -> frozenset[nn.Module]:
    """Return the candidates whose outputs are in some tensors."""
    return frozenset().union(*(getattr(tensor, ORIGINS, ()) for tensor in tensors))
