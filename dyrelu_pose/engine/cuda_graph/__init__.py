"""A training step whose launches are captured once and replayed from then on, as CUDA graphs."""

from .graphs import check_gpu
from .hook import CudaGraphHook

__all__ = ["CudaGraphHook", "check_gpu"]
