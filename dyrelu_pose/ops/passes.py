"""What a backend offers: passes over a map, the hyper function between them, whole sites."""

from typing import NamedTuple, Protocol

from torch import Tensor

from .hyper import Hyper, Ranges
from .norm import Norm, Running
from .spatial import Spatial


class WeightedSum(NamedTuple):
    """A map that is not there: w = t x + t_r r, of two maps (N, C, *) with the same dtype."""

    x: Tensor
    t: Tensor  # (C,)
    r: Tensor
    t_r: Tensor | None  # (C,); None counts as 1


class Passes(Protocol):
    """The passes over a feature map.

    A backend does not inherit from it: declared as `Passes`, each method of it is checked by type.

    Methods take a map x (N, C, *), whatever its strides, and coef (N, C or 1, 2K): K slopes, then K
    intercepts, in float32 or float64. P counts the positions of x.
    """

    def pool(self, x: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the mean of every plane (N, C), and the channels' sum (N, P) weighted by (C,)."""
        ...

    def plane_sums(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return the sum of every plane, weighted by (N, P): (N, C)."""
        ...

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the variance (over P) of every plane, each (N, C)."""
        ...

    def apply(self, x: Tensor, coef: Tensor, pi: Tensor | None, inplace: bool = False) -> Tensor:
        """Return pi max_k (a_k x + b_k), shaped and laid out as `x`; pi is (N, P) or None.

        With `inplace`, x may be overwritten.
        """
        ...

    def reduce(
        self, x: Tensor, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return the gradients of coef, unshared (N, C, 2K), and of pi (N, P), if any."""
        ...

    def grad_input(
        self,
        x: Tensor,
        coef: Tensor,
        pi: Tensor | None,
        grad: Tensor,
        grad_mean: Tensor | None = None,
        slope: Tensor | None = None,
        outer: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the gradient of x, and that of the weights (C,) in `outer`, if any.

        Args:
            x: Input of the forward pass.
            coef: Coefficients of the forward pass.
            pi: Spatial map (N, P), or None.
            grad: Gradient of the output.
            grad_mean: Gradient of the means of planes, (N, C): an element gets 1 / P of it.
            slope: Times x, added to every element of a channel, (C,).
            outer: Gradient of the channels' weighted sum (N, P), and the weights (C,).
        """
        ...

    def apply_sum(self, w: WeightedSum, coef: Tensor, pi: Tensor | None) -> Tensor:
        """Return pi max_k (a_k w + b_k), laid out as `w.x`."""
        ...

    def reduce_sum(
        self, w: WeightedSum, coef: Tensor, pi: Tensor | None, grad: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor | None]:
        """Return what `reduce` does, of w, and two sums over positions.

        The gradient that reaches w through the maximum, times x and times r, each (N, C); the
        latter is None where there is no `t_r`.
        """
        ...

    def grad_sum(
        self,
        w: WeightedSum,
        coef: Tensor,
        pi: Tensor | None,
        grad: Tensor,
        grad_mean: Tensor,
        back: tuple[Tensor, Tensor] | None,
        back_r: tuple[Tensor, Tensor] | None,
        outer: tuple[Tensor, Tensor] | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients of x and r: t w' + slope x + shift, and t_r w' + the same of r.

        Args:
            w: Input of the forward pass.
            coef: Coefficients of the forward pass.
            pi: Spatial map (N, P), or None.
            grad: Gradient of the output.
            grad_mean: Gradient of the means of planes of w, (N, C): an element of w' has 1 / P of
                it, and what reaches it through the maximum.
            back: Slope and shift for x, (C,) each, or None.
            back_r: Slope and shift for r, or None.
            outer: Gradient of the channels' weighted sum of w (N, P), and the weights (C,).
        """
        ...

    def hyper_forward(
        self, s: Tensor, hyper: Hyper, ranges: Ranges
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return hidden (N, C / R), delta and coef (N, G, 2K) for the pooled input s (N, C)."""
        ...

    def hyper_backward(
        self,
        grad_coef: Tensor,
        s: Tensor,
        hidden: Tensor,
        delta: Tensor,
        hyper: Hyper,
        ranges: Ranges,
    ) -> tuple[Tensor, Hyper]:
        """Return the gradients of the pooled input (N, C) and of the weights."""
        ...


class Sites(Protocol):
    """The functions of `layer.py` and `folded_norm.py`, which a backend may compute at once.

    None is returned where the passes have to: they are what every backend has, and what a compiler
    traces.
    """

    def dyrelu(
        self,
        x: Tensor,
        hyper: Hyper,
        ranges: Ranges,
        weight: Tensor | None,
        spatial: Spatial | None,
        inplace: bool,
    ) -> Tensor | None:
        """Return the output of DyReLU-B, or -C with `weight`, of C elements."""
        ...

    def normalized_dyrelu(
        self, x: Tensor, norm: Norm, hyper: Hyper, ranges: Ranges, running: Running | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None] | None:
        """Return what `normalized_dyrelu` of `folded_norm.py` does, for DyReLU-B."""
        ...
