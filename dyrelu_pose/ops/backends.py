"""Which implementation computes the passes over a feature map."""

import importlib.util

import torch
from torch import Tensor

from .eager import EAGER
from .passes import Passes

HAS_TRITON = importlib.util.find_spec("triton") is not None
BACKENDS = ("auto", "reference", "eager", "compile", "triton")


def check_backend(backend: str) -> None:
    """Raise a ValueError unless `backend` is the name of one."""
    if backend not in BACKENDS:
        raise ValueError(f"unknown dyrelu backend {backend!r}: choose one of {', '.join(BACKENDS)}")


def passes_of(backend: str, x: Tensor) -> Passes:
    """Return the passes that `backend` names, for maps on the device of `x`.

    `'auto'` is Triton for CUDA maps where Triton is there, and eager otherwise. While torch.compile
    traces, eager and compile give it plain operations on whole maps, which it fuses itself.

    Raises:
        ValueError: There is no such backend.
        RuntimeError: `'triton'` cannot run here.
    """
    check_backend(backend)
    if backend == "auto":
        triton = x.is_cuda and HAS_TRITON and not torch.compiler.is_compiling()
        backend = "triton" if triton else "eager"
    if backend == "compile" and not torch.compiler.is_compiling():
        from .compiled import compiled_or_eager

        return compiled_or_eager(x.device)
    if backend == "triton":
        return _triton(x)
    return EAGER


def _triton(x: Tensor) -> Passes:
    """Return the Triton passes, if they can run on the device of `x`."""
    if not HAS_TRITON:
        raise RuntimeError("dyrelu backend 'triton' needs the package triton: pip install triton")
    from .triton_kernels.passes import TRITON, interpreted

    if not (x.is_cuda or interpreted()):
        raise RuntimeError(
            f"dyrelu backend 'triton' needs a CUDA map, got one on {x.device}; use backend='auto', "
            "or set TRITON_INTERPRET=1 to run the kernels (slowly) in Triton's interpreter"
        )
    return TRITON
