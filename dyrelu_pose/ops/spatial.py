"""The spatial map of DyReLU-C, and its gradient written out."""

from typing import NamedTuple

from torch import Tensor


class Spatial(NamedTuple):
    """pi = min(gamma P softmax(z / tau), cap), over P positions; the paper's constants."""

    tau: float = 10.0
    gamma: float = 1 / 3
    cap: float = 1.0

    def softmax(self, z: Tensor) -> Tensor:
        """Return q of z (N, P), P times the softmax of z / tau.

        As e / mean(e) it is exactly 1 where z is flat; 1 / P would round.
        """
        e = ((z - z.amax(1, keepdim=True)) / self.tau).exp_()
        return e / e.mean(1, keepdim=True)

    def map(self, q: Tensor) -> Tensor:
        """Cap gamma q (N, P), which gives pi (N, P)."""
        return (self.gamma * q).clamp(max=self.cap)

    def backward(self, grad_pi: Tensor, q: Tensor) -> Tensor:
        """Return the gradient of z (N, P) from that of pi."""
        qg = q * (self.gamma * grad_pi).masked_fill(self.gamma * q > self.cap, 0)
        return (qg - q * qg.mean(1, keepdim=True)) / self.tau
