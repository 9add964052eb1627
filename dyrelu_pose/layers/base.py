"""What the variants of Dynamic ReLU share: from the input to coefficients."""

import torch
from torch import Tensor, nn
from torch.fx import Proxy

from dyrelu_pose.ops import Hyper, Ranges, Spatial, dyrelu, reference
from dyrelu_pose.ops.backends import check_backend, is_traced
from dyrelu_pose.ops.folded_norm import normalized_dyrelu
from dyrelu_pose.ops.precision import compute_dtype, without_autocast
from dyrelu_pose.ops.residual import Term, residual_dyrelu

from .dense import Dense
from .leaf import call_in_graph
from .norm_holder import NormHolder
from .options import check_number, check_whole
from .ports import convert_port_keys
from .residual import ResidualSum

INITS = ("relu", "identity", "default")


class DyReLU(NormHolder, nn.Module):
    """Dynamic ReLU of arXiv 2003.10027; use its variants `DyReLUA`, `DyReLUB` and `DyReLUC`.

    With s the mean of x over positions (N, C) and theta = FC2(ReLU(FC1(s))), the coefficients are

        delta = 2 sigmoid(theta) - 1
        a_k = alpha_k + lambda_a delta_a_k,   alpha = (1, 0, ..., 0)
        b_k = lambda_b delta_b_k

    The hyper function is computed in float32 at least, also under autocast.

    Args:
        channels: Channels C of the input. Without it the layer is *pending*: it has no parameters,
            and raises when called, until `materialize` (which `DyReLUPoseEstimator` calls) gives it
            a width.
        reduction: R; FC1 maps C to C / R (at least 1) channels.
        k: K, the number of linear branches.
        lambda_a: Range of the slopes around alpha.
        lambda_b: Range of the intercepts around 0.
        init: `'relu'` zeroes FC2, so that training starts at a static function (A and B: exactly
            ReLU), from a released ReLU checkpoint without loss. `'identity'` zeroes it around
            alpha = (1, ..., 1): A and B start as exactly y = x, for places without activation.
            `'default'` leaves FC2 as `nn.Linear` starts, as public ports do. The paper does not
            say; `'relu'` is our default because it is safe with and without pretrained weights.
        backend: What computes the layer: `'eager'`, `'numba'` (CPU), `'compile'` (torch.compile),
            `'triton'` (CUDA), `'reference'` (the equations as they stand, slow), or `'auto'`:
            Triton on CUDA and Numba on CPUs where they are installed, eager elsewhere.
        inplace: Whether the input may be overwritten, as by `nn.ReLU(inplace=True)`. That is done
            only where autograd records nothing and the input asks for no gradient: the backward
            pass needs it.

    Attributes:
        reread: Whether the input is read again after an `inplace` call; then it is overwritten in
            every call, as by `nn.ReLU(inplace=True)`, at the price of a copy. `place` sets it.
        overwritten: Whether somebody else overwrites the input after a call; then backward needs
            a copy of it. `place` sets it.
        channels_last: Whether inputs are (N, *, C), as behind an `nn.Linear`. `place` sets it.

    Raises:
        ValueError: An argument is not a number, or out of range.
    """

    shared_over_channels = False
    reread = False
    overwritten = False
    channels_last = False
    default_reduction: int

    def __init__(
        self,
        channels: int | None = None,
        *,
        reduction: int | None = None,
        k: int = 2,
        lambda_a: float = 1.0,
        lambda_b: float = 0.5,
        init: str = "relu",
        backend: str = "auto",
        inplace: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        reduction = self.default_reduction if reduction is None else reduction
        check_whole(name, reduction=reduction, k=k)
        check_number(name, zero=True, lambda_a=lambda_a, lambda_b=lambda_b)
        if init not in INITS:
            raise ValueError(f"{name}: init must be one of {INITS}, got {init!r}")
        check_backend(backend)
        self.channels = None
        self.reduction = reduction
        self.ranges = Ranges(k, lambda_a, lambda_b, rest=1.0 if init == "identity" else 0.0)
        self.init = init
        self.backend = backend
        self.inplace = inplace
        if channels is not None:
            self.materialize(channels)

    def materialize(self, channels: int) -> None:
        """Create the parameters for inputs of `channels` channels.

        Raises:
            ValueError: `channels` is not a whole number from 1.
            RuntimeError: The layer has its width already.
        """
        name = type(self).__name__
        if self.channels is not None:
            raise RuntimeError(f"{name} already has {self.channels} channels")
        check_whole(name, channels=channels)
        self.channels = channels
        self._create(channels)
        self.reset_parameters()

    def _create(self, channels: int) -> None:
        hidden = max(channels // self.reduction, 1)
        groups = 1 if self.shared_over_channels else channels  # sets of coefficients
        self.fc1 = Dense(channels, hidden)
        self.fc2 = Dense(hidden, 2 * self.ranges.k * groups)

    def reset_parameters(self) -> None:
        """Put the parameters at their start values, as `init` says."""
        self.fc1.reset_parameters()
        self.fc2.zeroed = self.init != "default"
        self.fc2.reset_parameters()

    @property
    def hyper(self) -> Hyper:
        """The weights of the hyper function."""
        fc1, fc2 = self.fc1, self.fc2
        return Hyper(fc1.weight, fc1.bias, fc2.weight, fc2.bias)

    def coefficients(self, x: Tensor | ResidualSum) -> tuple[Tensor, Tensor]:
        """Return slopes and intercepts for an input of `forward`: what that computes with.

        Where the layer folds a batch normalization they are those of the normalized input.

        Returns:
            a and b, each (N, C, K), or (N, 1, K) where channels share them (DyReLU-A); float32 at
            least.
        """
        x = self.normalize(x)
        dtype = compute_dtype(x)
        with without_autocast(x):
            return reference.coefficients(x.to(dtype), self.hyper.to(dtype), self.ranges)

    def hidden(self, x: Tensor | ResidualSum) -> Tensor:
        """Return the hidden layer of the hyper function for an input of `forward`, (N, C / R).

        A unit that is 0 for every input adds nothing to any coefficient, and without gradient it
        stays so.
        """
        x = self.normalize(x)
        dtype = compute_dtype(x)
        with without_autocast(x):
            return reference.hidden(x.to(dtype), self.hyper.to(dtype))

    def forward(self, x: Tensor | ResidualSum) -> Tensor:
        """Apply the activation to `x` (N, C, *), or (N, *, C) where a layer takes channels last.

        Shape and dtype are kept.

        Raises:
            RuntimeError: The layer is pending, or its backend cannot run here.
            ValueError: The input does not have `channels` channels, or no positions.
        """
        if isinstance(x, Proxy):
            return call_in_graph(self, x)
        if isinstance(x, ResidualSum):
            return self._of_sum(x)
        if self.reread:
            return x.copy_(self._activate(x.clone()))
        if self.overwritten and torch.is_grad_enabled():
            x = x.clone()
        return self._activate(x)

    def _activate(self, x: Tensor) -> Tensor:
        y = self._function(self._channels_first(x))
        return y.movedim(1, -1) if self.channels_last else y

    def _function(self, x: Tensor) -> Tensor:
        self._check(x)
        norm, (weight, spatial) = self._folded_norm(), self._spatial()
        if norm is None:
            return dyrelu(x, self.hyper, self.ranges, weight, spatial, self.backend, self.inplace)
        return normalized_dyrelu(
            x, norm.norm(x), self.hyper, self.ranges, weight, spatial, self.backend, norm.running()
        )[0]

    def _of_sum(self, x: ResidualSum) -> Tensor:
        self._check(x)
        x.check_recorded()
        self._held_norms()  # raises where one is wrapped
        if len(x.summands) == 1:
            return self._activate(x.tensor(update=True))
        branch, shortcut = (
            Term(term.x, None if term.norm is None else term.norm.norm(term.x))
            for term in x.summands
        )
        weight, spatial = self._spatial()
        y, used = residual_dyrelu(
            branch, shortcut, self.hyper, self.ranges, weight, spatial, self.backend
        )
        normed = (term for term in x.summands if term.norm is not None)
        for term, (mean, variance) in zip(normed, used, strict=True):
            if running := term.running():
                running.take(mean, variance, y.numel() // y.shape[1])
        return y

    def _spatial(self) -> tuple[Tensor | None, Spatial | None]:
        """Return weights (C,) and constants of the spatial map, if there is one."""
        return None, None

    def _check(self, x: Tensor | ResidualSum) -> None:
        if self.channels is None:
            raise RuntimeError(
                f"{type(self).__name__} was built without `channels` and is still pending: give it "
                "channels=..., or build the model as type='DyReLUPoseEstimator', which finds them"
            )
        if is_traced():  # sizes are variables there
            return
        if len(x.shape) < 2 or x.shape[1] != self.channels:
            raise ValueError(
                f"{type(self).__name__} has {self.channels} channels, "
                f"got an input of shape {tuple(x.shape)}; expected (N, {self.channels}, ...)"
            )
        if 0 in x.shape[2:]:
            raise ValueError(
                f"{type(self).__name__} takes the mean over the positions of a map, and an input "
                f"of shape {tuple(x.shape)} has none: the image is too small for this network"
            )

    def _load_from_state_dict(self, state_dict, prefix, *args) -> None:
        convert_port_keys(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        """Return the options that decide the function."""
        width = "pending" if self.channels is None else self.channels
        return f"{width}, reduction={self.reduction}, k={self.ranges.k}, init={self.init!r}"
