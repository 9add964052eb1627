"""Find the activation sites of a model by watching one forward pass of a weightless copy."""

import copy
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from numbers import Integral
from typing import cast

import torch
import torch.nn.functional as F
from mmcv.cnn import Swish
from mmcv.cnn.bricks import HSwish
from mmengine.model import BaseModel
from torch import Tensor, nn

from dyrelu_pose.errors import UserError, article
from dyrelu_pose.layers import DyReLU, Maxout, SEReLU

from .calls import Calls, FunctionWatch, tensors_in
from .channels import FIRST, LAST, ChannelsWatch, dimension_by_size
from .linear import LinearWatch, Unused, norm_of, open_sites
from .meta_device import run_tensor_mode, run_without_values
from .norms import Norms, NormWatch
from .rereads import RereadWatch
from .split import split_shared

# Gates (sigmoid, hard sigmoid, softmax) are not here: a site shapes features, it does not weigh
# them. DyReLU and its baselines are, so that a model can be listed, and changed, after placement.
ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU, nn.SELU,
    nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, Swish, HSwish, DyReLU, SEReLU, Maxout,
)  # fmt: skip
LINEAR = "linear"


class PlacementError(UserError, ValueError):
    """A model or a rule for which no placement can be made."""


@dataclass(frozen=True)
class Site:
    """One activation of a model, or a place for one: where it is and what it sees.

    Attributes:
        name: Dotted module name, as it is after splitting.
        channels: Width of the map.
        size: Height and width of the map (H, W) at the probed input size, in cells; the largest
            one where weights are shared between resolutions. (L,) or (D, H, W) in other dimensions.
        kind: Class name of the activation that is there now; `'linear'` where there is none.
        pending: Whether it is a DyReLU that was built without its width.
        obstacle: Why no layer can be placed here, as a sentence; None if one can.
        norm: Dotted name of the BatchNorm2d whose output goes here and nowhere else, if any.
        summed: Where its input is the sum of two maps and goes here and nowhere else, the dotted
            names of the BatchNorm2ds that yield one of them, or both, for this sum alone.
        overwritable: Whether a layer here may overwrite its input, because nobody else needs it.
        overwrites: Whether the activation works in place on an input that is read again, so that
            what it writes there is a part of what the model computes.
        overwritten: Whether somebody else overwrites its input after it has run.
        channels_last: Whether its map is (N, H, W, C), not (N, C, H, W).
    """

    name: str
    channels: int
    size: tuple[int, ...]
    kind: str
    pending: bool = False
    obstacle: str | None = None
    norm: str | None = field(default=None, compare=False, repr=False)
    summed: tuple[str, ...] = field(default=(), compare=False, repr=False)
    overwritable: bool = field(default=True, compare=False, repr=False)
    overwrites: bool = field(default=False, compare=False, repr=False)
    overwritten: bool = field(default=False, compare=False, repr=False)
    channels_last: bool = field(default=False, compare=False, repr=False)

    @property
    def linear(self) -> bool:
        """Whether no activation is there now, so that a rule has to ask for it."""
        return self.kind == LINEAR


def probe(
    model: nn.Module,
    input_size: tuple[int, int],
    forward: Callable[[nn.Module, Tensor], object] | None = None,
    *,
    linear: bool = False,
) -> list[Site]:
    """List the activation sites of a model in the order in which they run.

    A site is an activation module of the ReLU family on a map of more than one position, (N, C, *)
    or (N, H, W, C), so the gates of squeeze-and-excitation and the activations on tokens (N, L, C)
    are none, and nor is a module that this forward pass does not reach. Functional calls such as
    `F.relu` are none either: there is nothing to replace.

    The pass runs on a copy that is split first, in evaluation mode and on the meta device, where
    tensors have shapes but no values. If it needs values, a copy on the CPU is used. A second pass,
    in training mode on two images, shows what is called again or read there alone; where it fails,
    the first one counts. The model, its statistics and the random state stay as they are.

    Args:
        model: An MMPose estimator, or any module if `forward` says how to run it.
        input_size: Width and height of the input in pixels (W, H), as in an MMPose codec.
        forward: Called as `forward(model, images)` with images (N, 3, H, W). Default:
            `model(images, data_samples=None, mode='tensor')` for an MMEngine model,
            `model(images)` for any other.
        linear: Whether to list linear sites as well: `NAME.project` behind a ConvModule `NAME`
            without activation whose output reaches no other activation either, as
            :mod:`dyrelu_pose.placement.linear` says in full.

    Returns:
        The sites, those with an obstacle included.

    Raises:
        PlacementError: The input size is none, or the forward pass fails, or never reaches a DyReLU
            built without channels.

    Example:
        >>> probe(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), (32, 16))
        [Site(name='1', channels=8, size=(14, 30), kind='ReLU', pending=False, obstacle=None)]
    """
    return survey(model, input_size, forward, linear)[0]


@torch.inference_mode(False)  # whose tensors have no versions, which the watches compare
def survey(
    model: nn.Module,
    input_size: tuple[int, int],
    forward: Callable[[nn.Module, Tensor], object] | None,
    linear: bool,
) -> tuple[list[Site], dict[str, str]]:
    """Return the sites of :func:`probe`, and what computes activations without being a site.

    Returns:
        The sites; and by the name that a site there would have, why there is none.
    """
    width, height = check_input_size(input_size)
    other_input = ""
    if forward is None and not isinstance(model, BaseModel):
        other_input = "; if its input is not an image (1, 3, H, W), say by `forward` how to run it"

    def run(width: int, height: int, training: bool = False) -> _Watch:
        def on(device: str) -> _Watch:
            try:
                watch = _Watch(_copy_to(model, device), device, linear, training)
            except Exception as error:  # of what copies a part of it
                raise PlacementError(
                    f"{type(model).__name__} cannot be probed, for which it is copied: that fails "
                    f"with {type(error).__name__}: {error}"
                ) from error
            try:
                watch.run(forward or run_tensor_mode, width, height)
            except Exception as error:  # the model's own code
                raise PlacementError(
                    f"{type(model).__name__} cannot be probed: its forward pass on one image of "
                    f"{width}x{height} pixels (WxH) fails{watch.place()} with "
                    f"{type(error).__name__}: {error}{other_input}"
                ) from error
            return watch

        return run_without_values(on)

    watch = run(width, height)
    if watch.undecided():
        with suppress(PlacementError):  # of a model for one size
            watch.compare(run(2 * width, 2 * height))
    with suppress(PlacementError):  # of a model that needs more to train, such as targets
        watch.learn(run(width, height, training=True))
    return watch.sites(), watch.invisible()


def check_input_size(size: object, name: str = "input_size") -> tuple[int, int]:
    """Return a width and a height in pixels.

    Raises:
        PlacementError: It is not a pair of positive whole numbers; the message has the name.
    """
    if (
        not isinstance(size, list | tuple)
        or len(size) != 2
        or not all(isinstance(n, Integral) and int(n) > 0 for n in size)
    ):
        raise PlacementError(f"{name} is {size!r}: it has to be (W, H) in pixels")
    return size[0], size[1]


def is_pending(module: nn.Module) -> bool:
    """Whether a module is a DyReLU that was built without its width."""
    return isinstance(module, DyReLU) and module.channels is None


class _Watch:
    """Counts the calls of every module of `model` and keeps the shapes activations see."""

    def __init__(self, model: nn.Module, device: str, linear: bool, training: bool) -> None:
        split_shared(model)
        self.linear = LinearWatch(open_sites(model) if linear else ())
        model.train(training)  # a statement: that of MMPose's backbones returns None
        self.training = training
        self.obstacles: dict[nn.Module, str] = {}  # in training alone
        self.kept_norms: set[nn.Module] = set()  # activations whose norms are read in training
        self.model = model
        self.calls: Counter[nn.Module] = Counter()
        self.running = [model]
        self.shapes: dict[nn.Module, list[torch.Size]] = defaultdict(list)
        self.slots = _slots(model)
        for activation in self.slots:
            activation.register_forward_pre_hook(self._check_call)  # before all who read its input
        activations = [a for a in self.slots if not isinstance(a, Unused)]
        self.rereads = RereadWatch(activations)
        self.channels = ChannelsWatch(activations)
        self.functions = FunctionWatch(self.running, activations)
        self.measured: dict[nn.Module, int | None] = {}
        self.norms = NormWatch(model, activations)
        for module in model.modules():
            module.register_forward_pre_hook(self._enter)
            module.register_forward_hook(self._leave)
        for activation in self.slots:
            activation.register_forward_hook(self._record)
            if isinstance(activation, DyReLU):
                activation.unfold_norm()
                # It keeps shapes, and needs no width.
                activation.forward = lambda x: F.silu(cast(Tensor, x))
        if device == "meta":
            _skip_values(model)

    def _check_call(self, module: nn.Module, args: tuple) -> None:
        if not args:
            raise TypeError(
                f"{self.slots[module][0]} gets its map as a keyword argument: call it with the map "
                "as the positional one"
            )

    def _enter(self, module: nn.Module, args: tuple) -> None:
        self.calls[module] += 1
        self.running.append(module)

    def _leave(self, module: nn.Module, args: tuple, output: object) -> None:
        self.running.pop()

    def place(self) -> str:
        """Where the forward pass stopped, as part of a sentence."""
        name = self._name_of(self.running[-1])
        return f" in {name}" if name else ""

    def _name_of(self, wanted: nn.Module) -> str:
        return next(name for name, module in self.model.named_modules() if module is wanted)

    def _record(self, module: nn.Module, args: tuple, output: Tensor) -> None:
        self.shapes[module].append(output.shape)

    def run(self, forward: Callable, width: int, height: int) -> None:
        dtype = next((p.dtype for p in self.model.parameters()), None)
        batch = 2 if self.training else 1  # norms of vectors need two to train
        images = torch.zeros(batch, 3, height, width, dtype=dtype)
        self.rereads.given(images)
        self.channels.given(images)
        watches = self.norms, self.linear, self.rereads, self.channels, self.functions
        with torch.no_grad(), torch.random.fork_rng(devices=[]), Calls(watches):
            output = forward(self.model, images)
        for watch in watches:
            watch.returned(tensors_in(output))

    def undecided(self) -> list[nn.Module]:
        """Return the activations on maps of which this pass does not tell what the channels are."""
        return [
            activation
            for activation, shapes in self.shapes.items()
            if not isinstance(activation, Unused)
            and self._dimension(activation) is None
            and any(_is_map(shape, None) for shape in shapes)
        ]

    def compare(self, other: "_Watch") -> None:
        """Decide by a pass at another input size."""
        names = {names[0]: activation for activation, names in other.slots.items()}
        for activation in self.undecided():
            shapes = other.shapes[names[self.slots[activation][0]]]
            self.measured[activation] = dimension_by_size(self.shapes[activation], shapes)

    def learn(self, trained: "_Watch") -> None:
        """Take in what a pass in training shows of the activations that ran: who else reads."""
        twins = {names[0]: activation for activation, names in trained.slots.items()}
        norms, others = self.norms.norms(), trained.norms.norms()
        for activation in self.shapes:
            twin = twins[self.slots[activation][0]]
            if twin in trained.rereads.reread:
                self.rereads.reread.add(activation)
            if twin in trained.rereads.overwritten:
                self.rereads.overwritten.add(activation)
            if twin in trained.linear.bent:
                self.linear.bent.add(activation)
            trained.measured[twin] = self._dimension(activation)
            if obstacle := trained._obstacle(twin):
                self.obstacles[activation] = f"in training, {obstacle}"
            own = norms.get(activation)
            if own and own != others.get(twin) and trained.ran(own):
                self.kept_norms.add(activation)

    def ran(self, norms: Norms) -> bool:
        """Whether any of some norms ran: a block may be left out in training, by chance."""
        return any(self.calls[self.model.get_submodule(name)] for name in norms.names)

    def _dimension(self, activation: nn.Module) -> int | None:
        if isinstance(activation, Unused) or all(len(s) < 3 for s in self.shapes[activation]):
            return FIRST
        return self.measured.get(activation) or self.channels.dimension(activation)

    def sites(self) -> list[Site]:
        for activation, names in self.slots.items():
            if is_pending(activation) and activation not in self.shapes:
                raise PlacementError(
                    f"{names[0]} is {article(type(activation).__name__)} without channels that the "
                    "forward pass never reaches; give it its channels in the config"
                )
        linear = self.linear.sites()
        norms = {a: found for a, found in self.norms.norms().items() if a not in self.kept_norms}
        return [
            self._site(activation, max(shapes, key=torch.Size.numel), norms.get(activation))
            for activation, shapes in self.shapes.items()
            if self._is_site(activation)
            if activation in linear or not isinstance(activation, Unused)
        ]

    def _is_site(self, activation: nn.Module) -> bool:
        dimension = self._dimension(activation)
        return is_pending(activation) or any(
            _is_map(shape, dimension) for shape in self.shapes[activation]
        )

    def invisible(self) -> dict[str, str]:
        """Return why activations are not sites, by the names that these would have."""
        reasons = {}
        for activation, (name, *_) in self.slots.items():
            if isinstance(activation, Unused):
                continue
            if activation not in self.shapes:
                reasons[name] = f"{name} is not reached by the forward pass"
            elif not self._is_site(activation):
                shape = tuple(self.shapes[activation][0])
                reasons[name] = (
                    f"{name} sees {shape}: a site is an activation on a map (N, C, *), or "
                    "(N, H, W, C), of more than one position"
                )
        for caller, function in self.functions.calls:
            name = f"{self._name_of(caller)}.{function}".removeprefix(".")
            reasons[name] = (
                f"{self._name_of(caller) or type(caller).__name__} calls {function} as a function, "
                "which leaves no module to replace: let it call a module of its own, such as "
                "nn.ReLU(), or register a split that names one (register_split)"
            )
        return reasons

    def _site(self, activation: nn.Module, shape: torch.Size, norms: Norms | None) -> Site:
        dimension = self._dimension(activation) or FIRST
        names, added = norms or ((), False)
        norm = None if added or not names else names[0]
        return Site(
            name=self.slots[activation][0],
            channels=shape[dimension],
            size=tuple(shape[1:-1] if dimension == LAST else shape[2:]),
            kind=LINEAR if isinstance(activation, Unused) else type(activation).__name__,
            pending=is_pending(activation),
            obstacle=self._obstacle(activation) or self.obstacles.get(activation),
            norm=self._norm(activation) if isinstance(activation, Unused) else norm,
            summed=names if added else (),
            overwritable=activation not in self.rereads.reread | self.rereads.keeps,
            overwrites=activation in self.rereads.reread & self.rereads.inplace,
            overwritten=activation in self.rereads.overwritten,
            channels_last=dimension == LAST,
        )

    def _norm(self, candidate: Unused) -> str | None:
        owner = self.slots[candidate][0].rpartition(".")[0]
        norm = norm_of(self.model.get_submodule(owner))
        return norm and f"{owner}.{norm}".removeprefix(".")

    def _obstacle(self, activation: nn.Module) -> str | None:
        name, *aliases = names = self.slots[activation]
        owner = max(map(self._owner, names), key=self.calls.__getitem__)
        runs = self.calls[activation] / (self.calls[owner] or 1)  # 0: `forward` runs its parts
        if runs > 1 and aliases:
            return f"{name} is one module with {', '.join(aliases)}; build one activation for each"
        if runs > 1:
            block = type(owner)  # with its module: several backbones have a class Bottleneck
            return (
                f"{name} runs {runs:g} times per pass of {block.__name__}; "
                f"register a split for it (of {block.__module__})"
            )
        dimension = self._dimension(activation)
        if dimension is None:
            return (
                f"{name} sees maps {tuple(self.shapes[activation][0])} of which the probe cannot "
                "tell the channels: neither what computes them nor another input size does"
            )
        widths = sorted({shape[dimension] for shape in self.shapes[activation]})
        if len(widths) > 1:
            return f"{name} sees maps of {widths} channels; build one activation for each width"
        rereads = self.rereads
        if activation in rereads.inplace & rereads.reread & rereads.keeps:
            return (
                f"{name} overwrites the model's input in place, and that is read again; "
                "build it with inplace=False"
            )
        return None

    def _owner(self, name: str) -> nn.Module:
        """Find the nearest module around `name` that is itself called; a ModuleList never is."""
        while name:
            name = name.rpartition(".")[0]
            if self.calls[owner := self.model.get_submodule(name)]:
                break
        return owner


def _slots(model: nn.Module) -> dict[nn.Module, list[str]]:
    """All names of each activation or candidate; two if one object was put at two places."""
    slots = defaultdict(list)
    for path, parent in model.named_modules():
        for attribute, child in parent._modules.items():
            if isinstance(child, (*ACTIVATIONS, Unused)):
                slots[child].append(f"{path}.{attribute}" if path else attribute)
    return slots


def _skip_values(model: nn.Module) -> None:
    """Let batch norms and activations do what takes the meta device least time.

    Computing theirs, in Python, is half the time of a pass. They still run as modules, so whoever
    watches them sees all there is to see: shapes.
    """
    for module in model.modules():
        if type(module) in (nn.BatchNorm2d, nn.SyncBatchNorm):
            module.forward = torch.empty_like
        # Not what a class of one's own makes of an activation, or the weights that one may lack.
        elif type(module) in ACTIVATIONS and next(module.parameters(), None) is None:
            module.forward = F.silu


def _is_map(shape: torch.Size, dimension: int | None) -> bool:
    """Whether it is that of a map of several positions with its channels in that dimension."""
    if dimension is None:  # in any
        return len(shape) == 4 and math.prod(shape[1:]) > max(shape[1:])
    if dimension == LAST:
        return len(shape) > 3 and math.prod(shape[1:-1]) > 1
    return len(shape) > 2 and math.prod(shape[2:]) > 1


def _copy_to(model: nn.Module, device: str) -> nn.Module:
    """Deep copy a model; onto the meta device without copying a single weight."""
    memo = {}
    if device == "meta":
        for tensor in chain(model.parameters(), model.buffers()):
            empty = torch.empty_like(tensor, device="meta")
            is_parameter = isinstance(tensor, nn.Parameter)
            memo[id(tensor)] = nn.Parameter(empty, tensor.requires_grad) if is_parameter else empty
    return copy.deepcopy(model, memo).to(device)
