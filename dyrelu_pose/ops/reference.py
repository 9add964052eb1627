"""The equations of Dynamic ReLU (arXiv 2003.10027) in plain PyTorch: the judge of faster versions.

Nothing here is optimised: K full-size branches are built and autograd keeps all of them.
"""

from torch import Tensor


def dyrelu(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Compute y = max_k (a_k x + b_k) with autograd's own gradients.

    Where branches tie, the *last* of them is the maximum and takes the whole gradient. With the
    ReLU coefficients a = (1, 0), b = (0, 0) that makes the gradient at x = 0 zero, as `nn.ReLU` has
    it.

    Args:
        x: Input, (N, C, *), any number of positions.
        a: Slopes, (N, C, K), or (N, 1, K) to share them over channels.
        b: Intercepts, shaped as `a`.

    Returns:
        (N, C, *), the dtype that `x` and `a` promote to.
    """
    shape = (*a.shape[:2], *(1,) * (x.dim() - 2), a.shape[2])
    branches = x.unsqueeze(-1) * a.reshape(shape) + b.reshape(shape)  # (N, C, *, K)
    last = a.shape[2] - 1
    winner = last - branches.detach().flip(-1).argmax(-1, keepdim=True)  # argmax names the first
    return branches.gather(-1, winner).squeeze(-1)


def dyrelu_spatial(x: Tensor, a: Tensor, b: Tensor, pi: Tensor) -> Tensor:
    """Compute y = pi max_k (a_k x + b_k), DyReLU-C, with `pi` (N, 1, *) broadcast over channels."""
    return pi * dyrelu(x, a, b)


def spatial_map(z: Tensor, tau: float = 10.0, gamma: float = 1 / 3, cap: float = 1.0) -> Tensor:
    """Compute pi = min(gamma P softmax(z / tau), cap) over the P positions of `z` (N, 1, *).

    Section 3.3 of the paper, where gamma P = HW / 3 and cap = 1.
    """
    logits = z.flatten(1) / tau
    return (gamma * logits.shape[1] * logits.softmax(1)).clamp(max=cap).view_as(z)
