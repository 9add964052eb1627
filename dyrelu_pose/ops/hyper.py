"""The hyper function: from the pooled input to coefficients, and its gradients written out."""

from typing import NamedTuple

import torch
from torch import Tensor

from .precision import without_autocast


class Hyper(NamedTuple):
    """Weights of theta = FC2(ReLU(FC1(s))), for C channels and G sets of 2K coefficients.

    G is C, or 1 where channels share theirs. A set has K slopes, then K intercepts.
    """

    fc1_weight: Tensor  # (C / R, C)
    fc1_bias: Tensor  # (C / R,)
    fc2_weight: Tensor  # (2KG, C / R)
    fc2_bias: Tensor  # (2KG,)

    def to(self, dtype: torch.dtype) -> "Hyper":
        """Return the weights in a dtype."""
        return Hyper(*(weight.to(dtype) for weight in self))


class Ranges(NamedTuple):
    """a_k lies in alpha_k +- lambda_a, with alpha = (1, rest, ..., rest), and b_k in +- lambda_b.

    Without differences, delta = 0, the function is ReLU at rest = 0, the paper's, and the identity
    at rest = 1.
    """

    k: int = 2
    lambda_a: float = 1.0
    lambda_b: float = 0.5
    rest: float = 0.0

    @property
    def centers(self) -> tuple[float, ...]:
        """The coefficients at delta = 0: K slopes, then K intercepts."""
        return (1.0, *(self.rest,) * (self.k - 1), *(0.0,) * self.k)

    def place(self, delta: Tensor) -> Tensor:
        """Turn delta (N, G, 2K) in (-1, 1) into coefficients; in memory they are (N, 2K, G)."""
        coef = delta.mT.clone(memory_format=torch.contiguous_format)
        self._scale(coef, 1.0)
        coef[:, 0].add_(1)
        if self.rest:
            coef[:, 1 : self.k].add_(self.rest)
        return coef.mT

    def to_theta(self, grad_coef: Tensor, delta: Tensor) -> Tensor:
        """Turn the gradient of the coefficients (N, G, 2K) into that of theta (N, 2KG).

        With delta = tanh(theta / 2) its derivative is (1 - delta^2) / 2.
        """
        grad_theta = torch.ops.aten.tanh_backward(grad_coef, delta)
        self._scale(grad_theta.mT, 0.5)
        return grad_theta.flatten(1)

    def _scale(self, values: Tensor, factor: float) -> None:
        """Multiply (N, 2K, G) by the half-widths of the ranges times a factor."""
        k = self.k
        for part, width in ((values[:, :k], self.lambda_a), (values[:, k:], self.lambda_b)):
            if width * factor != 1:
                part.mul_(width * factor)


def hyper_forward(s: Tensor, hyper: Hyper, ranges: Ranges) -> tuple[Tensor, Tensor, Tensor]:
    """Return hidden (N, C / R), delta and coef (N, G, 2K) for the pooled input s (N, C)."""
    hidden = torch.addmm(hyper.fc1_bias, s, hyper.fc1_weight.mT).relu_()
    half = torch.addmm(hyper.fc2_bias, hidden, hyper.fc2_weight.mT, beta=0.5, alpha=0.5)
    delta = half.tanh_().unflatten(1, (-1, 2 * ranges.k))  # 2 sigmoid(theta) - 1
    return hidden, delta, ranges.place(delta)


def hyper_backward(
    grad_coef: Tensor, s: Tensor, hidden: Tensor, delta: Tensor, hyper: Hyper, ranges: Ranges
) -> tuple[Tensor, Hyper]:
    """Return the gradients of the pooled input (N, C) and of the weights.

    Args:
        grad_coef: Gradient of the coefficients, (N, G, 2K).
        s: Pooled input.
        hidden: First result of `hyper_forward`.
        delta: Second result of `hyper_forward`.
        hyper: Weights.
        ranges: Ranges of the coefficients.
    """
    grad_theta = ranges.to_theta(grad_coef, delta)
    with without_autocast(s, backward=True):
        grad_hidden = torch.ops.aten.threshold_backward(grad_theta @ hyper.fc2_weight, hidden, 0)
        grad_hyper = Hyper(
            grad_hidden.mT @ s, grad_hidden.sum(0), grad_theta.mT @ hidden, grad_theta.sum(0)
        )
        return grad_hidden @ hyper.fc1_weight, grad_hyper
