"""The activations that benchmarks/op.py times, each declared once."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn
from usual import UsualDyReLUB

from dyrelu_pose.layers import DyReLUB, DyReLUC, SEReLU

# Full-size reads and writes that a function cannot do without, forward and with backward. A static
# activation reads x and writes y; backward it reads two maps and writes one.
STATIC = (2, 5)
# One that needs means over positions reads x once more; backward it reads x and the gradient for
# its sums, then both again, and writes one map.
POOLED = (3, 8)


Build = Callable[[int], nn.Module]  # of a module, for a number of channels


class Row(NamedTuple):
    """One activation.

    Attributes:
        name: Name in the table.
        build: Makes the module for a number of channels.
        passes: `STATIC` or `POOLED`.
        reference: Key in `REFERENCES` of what it must agree with; None for PyTorch's own.
        baseline: Row that its time is divided by.
        devices: Where it runs.
    """

    name: str
    build: Build
    passes: tuple[int, int] = POOLED
    reference: str | None = None
    baseline: str = "ReLU"
    devices: tuple[str, ...] = ("cpu", "cuda")


def _b(backend: str) -> Build:
    return lambda channels: DyReLUB(channels, backend=backend, init="default")


def _c(backend: str) -> Build:
    return lambda channels: DyReLUC(channels, backend=backend, init="default")


def _norm(activation: Build, fuse: bool = False) -> Build:
    """Put an `nn.BatchNorm2d` before an activation, or into it."""

    def build(channels: int) -> nn.Module:
        both = nn.Sequential(nn.BatchNorm2d(channels), activation(channels))
        if fuse:
            both[1].fold_norm(both, "0")
        return both

    return build


def _compiled_usual(channels: int) -> nn.Module:
    module = UsualDyReLUB(channels)
    module.compile(dynamic=True)  # one compilation for all sizes, as ours has
    return module


def _relu(channels: int) -> nn.Module:
    return nn.ReLU()


B, C = "DyReLU-B", "DyReLU-C"
NORM_B, NORM_C, NORM_RELU = (f"BatchNorm2d + {name}" for name in (B, C, "ReLU"))
USUAL = "DyReLU-B usual"

REFERENCES: dict[str, Build] = {
    B: _b("reference"),
    C: _c("reference"),
    NORM_B: _norm(_b("reference")),
    NORM_C: _norm(_c("reference")),
}
BACKENDS = dict(eager=("cpu", "cuda"), compile=("cpu", "cuda"), numba=("cpu",), triton=("cuda",))


def _by_backend(
    name: str,
    build: Callable[[str], Build],
    baseline: str = "ReLU",
    label: str = "",
) -> list[Row]:
    """Return a row for each backend; `name` is that of the reference as well."""
    return [
        Row(f"{name}{label} {backend}", build(backend), POOLED, name, baseline, devices)
        for backend, devices in BACKENDS.items()
    ]


def _fused(layer: Callable[[str], Build]) -> Callable[[str], Build]:
    """Put the norm into a layer, whatever its backend."""
    return lambda backend: _norm(layer(backend), fuse=True)


ROWS = (
    Row("ReLU", _relu, STATIC),
    Row("SiLU", lambda channels: nn.SiLU(), STATIC),
    Row("SE + ReLU", lambda channels: SEReLU(channels, reduction=8)),
    Row(USUAL, UsualDyReLUB, reference=B),
    Row(f"{USUAL}, torch.compile", _compiled_usual, reference=B),
    *_by_backend(B, _b),
    *_by_backend(C, _c),
    Row(NORM_RELU, _norm(_relu), baseline=NORM_RELU),
    Row(f"{NORM_B} eager", _norm(_b("eager")), reference=NORM_B, baseline=NORM_RELU),
    *_by_backend(NORM_B, _fused(_b), NORM_RELU, " fuse_norm,"),
    Row(f"{NORM_C} eager", _norm(_c("eager")), reference=NORM_C, baseline=NORM_RELU),
    *_by_backend(NORM_C, _fused(_c), NORM_RELU, " fuse_norm,"),
)
