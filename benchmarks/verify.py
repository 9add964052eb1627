"""Whether a module computes what the reference computes: outputs and all gradients."""

import copy
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Tolerance(NamedTuple):
    """How far a tensor may be off, relative to its largest value.

    Where branches tie within rounding, the gradient may fall to either, so it is zero where they
    are closer than `tie`. Under autocast the usual formulation has a hyper function in half
    precision, whose gradients are off by `usual` at most; ours is in float32.
    """

    error: float
    tie: float
    usual: float


TOLERANCES = {
    torch.float32: Tolerance(1e-4, 1e-3, 1e-4),
    torch.bfloat16: Tolerance(2e-2, 1e-1, 2e-1),
    torch.float16: Tolerance(5e-3, 2e-2, 5e-2),
}


def run(module: nn.Module, x: Tensor) -> Tensor:
    """Return `module(x)`, under autocast where `x` is in half precision."""
    half = x.dtype in (torch.bfloat16, torch.float16)
    with torch.autocast(x.device.type, x.dtype if half else None, enabled=half):
        return module(x)


@torch.no_grad()
def without_ties(grad: Tensor, x: Tensor, references: Iterable[nn.Module], tie: float) -> Tensor:
    """Return `grad` with zeros where the two branches of a reference nearly tie.

    Args:
        grad: Gradient of the output, (N, C, H, W).
        x: Input, in the precision of the references.
        references: Modules that end in a DyReLU, in training mode.
        tie: Distance of the branches from which they are told apart.
    """
    for module in references:
        u = x
        *before, layer = module if isinstance(module, nn.Sequential) else [module]
        for part in before:
            u = copy.deepcopy(part)(u)  # so that its running statistics stay as they are
        a, b = (t[..., 0] - t[..., 1] for t in layer.coefficients(u))  # (N, C)
        near = (u * a[..., None, None] + b[..., None, None]).abs() < tie
        grad = torch.where(near, 0, grad)  # unlike masked_fill, it keeps the memory format
    return grad


def outcome(module: nn.Module, x: Tensor, grad: Tensor) -> dict[str, Tensor]:
    """Return the output for `x` (N, C, H, W) in evaluation and in training, and the gradients.

    Gradients are those of `(output * grad).sum()`, of `x` and of all parameters by their names. The
    module is in training mode afterwards.
    """
    found = {}
    module.eval()
    with torch.no_grad():
        found["output in evaluation"] = run(module, x)
    module.train()
    leaves = {"input": x.detach().requires_grad_(), **dict(module.named_parameters())}
    y = run(module, leaves["input"])
    found["output in training"] = y.detach()
    gradients = torch.autograd.grad(y, list(leaves.values()), grad.to(y.dtype))
    found.update((f"gradient of {name}", g) for name, g in zip(leaves, gradients, strict=True))
    return found


def disagreement(found: dict[str, Tensor], expected: dict[str, Tensor], error: float) -> str | None:
    """Say in a sentence which tensor differs from its reference the most, None if none does.

    Args:
        found: What `outcome` returned for the module.
        expected: What it returned for the reference, with the same weights.
        error: Largest error that is allowed, relative to the largest expected value of a tensor.
    """
    if set(found) != set(expected):
        return f"has {sorted(set(found) ^ set(expected))} differently from its reference"
    worst, name = max((_error(found[name], expected[name]), name) for name in expected)
    if worst <= error:
        return None
    return f"{name} is off by {worst:.2g} of its largest value, {error:g} is allowed"


def _error(found: Tensor, expected: Tensor) -> float:
    """Return the largest error, relative to the largest expected value; infinite for nonsense."""
    if found.shape != expected.shape or not found.isfinite().all():
        return float("inf")
    return ((found - expected).abs().max() / expected.abs().max()).item()
