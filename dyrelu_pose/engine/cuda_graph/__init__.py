"""A training step whose launches are captured once and replayed from then on, as CUDA graphs."""

from .hook import CudaGraphHook

__all__ = ["CudaGraphHook"]
