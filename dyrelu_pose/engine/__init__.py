"""Hooks, a train loop and a file backend for MMEngine's runner."""

from .atomic_files import AtomicLocalBackend
from .channels_last import ChannelsLastHook
from .checkpoint_hook import CheckpointHook
from .coefficients import CoefficientHistogramHook
from .cuda_graph import CudaGraphHook
from .latest import latest_checkpoint
from .non_finite import NonFiniteLossError, NonFiniteLossHook
from .optim import DyReLUOptimWrapperConstructor, HyperRateHook
from .preemption import PreemptionHook
from .reproducible import ReproducibleHook
from .safeguards import add_hooks, add_safeguards
from .sharding import FSDPStrategy
from .start import StartHook
from .tensorboard import TensorboardHook
from .train_loop import ResumableTrainLoop

__all__ = [
    "AtomicLocalBackend",
    "ChannelsLastHook",
    "CheckpointHook",
    "CoefficientHistogramHook",
    "CudaGraphHook",
    "DyReLUOptimWrapperConstructor",
    "FSDPStrategy",
    "HyperRateHook",
    "NonFiniteLossError",
    "NonFiniteLossHook",
    "PreemptionHook",
    "ReproducibleHook",
    "ResumableTrainLoop",
    "StartHook",
    "TensorboardHook",
    "add_hooks",
    "add_safeguards",
    "latest_checkpoint",
]
