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
    build: Callable[[int], nn.Module]
    passes: tuple[int, int] = POOLED
    reference: str | None = None
    baseline: str = "ReLU"
    devices: tuple[str, ...] = ("cpu", "cuda")


def _b(backend: str) -> Callable[[int], nn.Module]:
    return lambda channels: DyReLUB(channels, backend=backend, init="default")


def _c(backend: str) -> Callable[[int], nn.Module]:
    return lambda channels: DyReLUC(channels, backend=backend, init="default")


def _norm(activation: Callable[[int], nn.Module], fuse: bool = False) -> Callable[[int], nn.Module]:
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

REFERENCES: dict[str, Callable[[int], nn.Module]] = {
    B: _b("reference"),
    C: _c("reference"),
    NORM_B: _norm(_b("reference")),
    NORM_C: _norm(_c("reference")),
}
FUSED = dict(eager=("cpu", "cuda"), compile=("cpu", "cuda"), numba=("cpu",), triton=("cuda",))

ROWS = (
    Row("ReLU", _relu, STATIC),
    Row("SiLU", lambda channels: nn.SiLU(), STATIC),
    Row("SE + ReLU", lambda channels: SEReLU(channels, reduction=8)),
    Row(USUAL, UsualDyReLUB, reference=B),
    Row(f"{USUAL}, torch.compile", _compiled_usual, reference=B),
    Row(f"{B} eager", _b("eager"), reference=B),
    Row(f"{B} compile", _b("compile"), reference=B),
    Row(f"{B} numba", _b("numba"), reference=B, devices=("cpu",)),
    Row(f"{B} triton", _b("triton"), reference=B, devices=("cuda",)),
    Row(f"{C} eager", _c("eager"), reference=C),
    Row(f"{C} compile", _c("compile"), reference=C),
    Row(f"{C} numba", _c("numba"), reference=C, devices=("cpu",)),
    Row(f"{C} triton", _c("triton"), reference=C, devices=("cuda",)),
    Row(NORM_RELU, _norm(_relu), baseline=NORM_RELU),
    *(
        row
        for name, of in ((NORM_B, _b), (NORM_C, _c))
        for row in (
            Row(f"{name} eager", _norm(of("eager")), reference=name, baseline=NORM_RELU),
            *(
                Row(
                    f"{name} fuse_norm, {backend}",
                    _norm(of(backend), True),
                    reference=name,
                    baseline=NORM_RELU,
                    devices=devices,
                )
                for backend, devices in FUSED.items()
            ),
        )
    ),
)
