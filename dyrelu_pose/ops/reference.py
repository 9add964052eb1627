"""The equations of Dynamic ReLU (arXiv 2003.10027) in plain PyTorch.

Faster versions are tested against these. Nothing here is optimized: K full-size branches are built
and autograd keeps all of them.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .hyper import Hyper, Ranges
from .spatial import Spatial


def dyrelu_given(x: Tensor, a: Tensor, b: Tensor, pi: Tensor | None = None) -> Tensor:
    """Compute y = pi max_k (a_k x + b_k) with autograd's own gradients.

    Where branches tie, the *last* of them is the maximum and takes the whole gradient. With the
    ReLU coefficients a = (1, 0), b = (0, 0) that makes the gradient at x = 0 zero, as `nn.ReLU` has
    it.

    Args:
        x: Input, (N, C, *), any number of positions.
        a: Slopes, (N, C, K), or (N, 1, K) to share them over channels.
        b: Intercepts, shaped as `a`.
        pi: Spatial map of DyReLU-C, (N, 1, *), or None for A and B.

    Returns:
        (N, C, *), the dtype that `x` and `a` promote to.
    """
    shape = (*a.shape[:2], *(1,) * (x.dim() - 2), a.shape[2])
    branches = x.unsqueeze(-1) * a.reshape(shape) + b.reshape(shape)  # (N, C, *, K)
    last = a.shape[2] - 1
    winner = last - branches.detach().flip(-1).argmax(-1, keepdim=True)  # argmax names the first
    y = branches.gather(-1, winner).squeeze(-1)
    return y if pi is None else pi * y


def hidden(x: Tensor, hyper: Hyper) -> Tensor:
    """Compute the hidden layer ReLU(FC1(mean(x))), (N, C / R), of the input x (N, C, *)."""
    s = x if x.dim() == 2 else x.mean(tuple(range(2, x.dim())))
    return F.linear(s, hyper.fc1_weight, hyper.fc1_bias).relu()


def coefficients(x: Tensor, hyper: Hyper, ranges: Ranges) -> tuple[Tensor, Tensor]:
    """Compute slopes and intercepts (N, G, K) from the input x (N, C, *), section 3.2 of the paper.

    theta = FC2(ReLU(FC1(mean(x)))),   delta = 2 sigmoid(theta) - 1
    a_k = alpha_k + lambda_a delta_a_k,   b_k = lambda_b delta_b_k,   alpha = (1, 0, ..., 0)

    alpha is (1, rest, ..., rest) where `ranges` has another rest than the paper's 0.
    """
    theta = F.linear(hidden(x, hyper), hyper.fc2_weight, hyper.fc2_bias)
    delta = 2 * theta.sigmoid() - 1
    # Not by unflatten, with which the older exporter to ONNX fixes N.
    delta = delta.reshape(-1, hyper.fc2_bias.shape[0] // (2 * ranges.k), 2 * ranges.k)
    delta_a, delta_b = delta.split(ranges.k, 2)
    alpha = torch.eye(ranges.k, dtype=x.dtype, device=x.device)[0].clamp(min=ranges.rest)
    return alpha + ranges.lambda_a * delta_a, ranges.lambda_b * delta_b


def spatial_map(x: Tensor, weight: Tensor, spatial: Spatial) -> Tensor:
    """Compute pi = min(gamma P softmax(z / tau), cap), (N, 1, *), of z = sum_c weight_c x_c.

    Section 3.3 of the paper, where gamma P = HW / 3 and cap = 1. x is (N, C, *), weight (C,).
    """
    positions = math.prod(x.shape[2:])
    z = torch.einsum("ncp,c->np", x.reshape(*x.shape[:2], positions), weight)
    pi = spatial.gamma * positions * (z / spatial.tau).softmax(1)
    return pi.clamp(max=spatial.cap).reshape(x.shape[0], 1, *x.shape[2:])
