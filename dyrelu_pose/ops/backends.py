"""Which implementation computes the passes over a feature map."""

import functools
import importlib.util

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from .eager import EAGER
from .passes import Passes, Sites

HAS_TRITON = importlib.util.find_spec("triton") is not None
HAS_NUMBA = importlib.util.find_spec("numba") is not None
BACKENDS = ("auto", "reference", "eager", "compile", "numba", "triton")


def is_traced() -> bool:
    """Return whether `torch.jit.trace` records: plain operations, whose sizes stay variables."""
    return torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]


def is_transformed() -> bool:
    """Return whether a transform of `torch.func`, or `torch.autograd.forward_ad`, runs eagerly."""
    return not torch.compiler.is_compiling() and (
        torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0
    )


def is_reference(backend: str) -> bool:
    """Return whether plain operations compute a layer: by its backend, or because of who looks on.

    `torch.jit.trace`, the transforms of `torch.func` and forward-mode differentiation take no
    function with a backward pass of its own.
    """
    return backend == "reference" or is_traced() or is_transformed()


def check_backend(backend: str) -> None:
    """Raise a ValueError unless `backend` is the name of one."""
    if backend not in BACKENDS:
        raise ValueError(f"unknown dyrelu backend {backend!r}: choose one of {', '.join(BACKENDS)}")


def passes_of(backend: str, x: Tensor) -> Passes:
    """Return the passes that `backend` names, for maps on the device of `x`.

    `'auto'` is Triton for CUDA maps where Triton is there, Numba for maps on a CPU where Numba is
    there and each of torch's threads has a sample, and eager otherwise. While something traces or
    counts operations, Numba leaves it to eager; while torch.compile traces, eager and compile give
    it plain operations on whole maps, which it fuses itself.

    Raises:
        ValueError: There is no such backend.
        RuntimeError: `'triton'` or `'numba'` cannot run here.
    """
    check_backend(backend)
    if backend == "auto":
        backend = auto_backend(x)
    if backend == "compile" and not torch.compiler.is_compiling():
        from .compiled import compiled_or_eager

        return compiled_or_eager(x.device)
    if backend == "triton":
        return _triton(x)
    if backend == "numba":
        return _numba(x)
    return EAGER


def sites_of(backend: str, x: Tensor) -> Sites | None:
    """Return what computes whole sites of maps like `x`, or None: Triton's plans, and only they.

    While something traces, compiles or records operations, they are those of the passes.
    """
    if (
        not HAS_TRITON
        or not (backend == "triton" or (backend == "auto" and x.is_cuda))
        or _is_watched(x)
    ):
        return None
    sites, interpreted = _triton_sites()
    return sites if interpreted or x.is_cuda else None


def _is_watched(x: Tensor) -> bool:
    """Return whether something compiles, traces, transforms or records operations on x."""
    return (
        torch.compiler.is_compiling()
        or is_traced()
        or is_transformed()
        or is_in_torch_dispatch_mode()
        or type(x) not in (Tensor, torch.nn.Parameter)
    )


def auto_backend(x: Tensor) -> str:
    """Return the name of the backend that `'auto'` takes for maps like x."""
    if torch.compiler.is_compiling():
        return "eager"
    if HAS_TRITON and x.is_cuda:
        return "triton"
    if HAS_NUMBA and x.device.type == "cpu" and x.shape[0] >= torch.get_num_threads():
        return "numba"
    return "eager"


def _numba(x: Tensor) -> Passes:
    """Return the Numba passes, or eager ones where the operations are recorded as they run."""
    if not HAS_NUMBA:
        raise RuntimeError("dyrelu backend 'numba' needs the package numba: pip install numba")
    if x.device.type != "cpu":
        raise RuntimeError(
            f"dyrelu backend 'numba' needs a map on the CPU, got one on {x.device}; use "
            "backend='auto'"
        )
    if _is_watched(x):
        return EAGER
    from .numba_kernels.passes import NUMBA

    return NUMBA


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


@functools.cache
def _triton_sites() -> tuple[Sites, bool]:
    """Return Triton's sites, and whether its interpreter runs them."""
    from .triton_kernels.passes import SITES, interpreted

    return SITES, interpreted()
