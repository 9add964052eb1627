"""Launches without a GPU: what starts nothing, in the places where kernels would start."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from types import SimpleNamespace
from unittest import mock

import triton
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.driver import CudaLauncher

from dyrelu_pose.ops import backends
from dyrelu_pose.ops.triton_kernels import launch, sites
from dyrelu_pose.ops.triton_kernels.plan import Plans

TARGET = GPUTarget("cuda", 90, 32)


class Started:
    """In the place of a compiled kernel: `start` is called with what it would get."""

    def __init__(self, start: Callable) -> None:
        self.start = start

    def __getitem__(self, grid: tuple[int, int, int]) -> Callable:
        return self.start


@contextmanager
def planned() -> Iterator[None]:
    """Let Triton's plans compute sites, on a CPU too; those that are made here are gone then."""
    with (
        mock.patch.object(backends, "_triton_sites", partial(tuple, (sites.SITES, True))),
        mock.patch.object(sites, "PLANS", Plans()),
    ):
        yield


def with_plans(call: Callable[[], object]) -> Callable[[], object]:
    """Return a call that finds plans of its own, which were made here and know their kernels."""
    plans = Plans()

    def own() -> None:
        sites.PLANS = plans
        call()

    own()
    return own


def direct(on: bool) -> AbstractContextManager:
    """Return a context in which plans learn to start compiled kernels themselves, or do not."""
    return mock.patch.object(launch, "DIRECT", on)


@contextmanager
def starting(start: Callable) -> Iterator[None]:
    """Let plans that are made here call `start` where they would start a compiled kernel.

    Nothing of Triton runs.
    """

    def first(self: launch.Launch, *pointers: object) -> None:
        self.compiled = Started(start)

    with (
        mock.patch.object(launch.Launch, "__call__", first),
        mock.patch.object(launch, "CompiledKernel", Started),
        direct(True),
    ):
        yield


@contextmanager
def without_a_gpu() -> Iterator[None]:
    """Let Triton compile for a GPU that is not there, and run all of its launcher's Python.

    What it would hand to C is dropped: there the arguments are unpacked, and the driver is called.
    """
    active = triton.runtime.driver._active
    triton.runtime.driver.set_active(Driver())
    try:
        yield
    finally:
        triton.runtime.driver._active = active


class Driver:
    """What compilation and launches ask of Triton's driver."""

    utils = SimpleNamespace(
        load_binary=lambda *args: (1, 1, 0, 0, 1024),
        get_device_properties=lambda device: dict(max_shared_mem=2**20),
    )

    def get_current_target(self) -> GPUTarget:
        """Return the GPU to compile for."""
        return TARGET

    def get_current_device(self) -> int:
        """Return its number."""
        return 0

    def get_current_stream(self, device: int) -> int:
        """Return the default one."""
        return 0

    @property
    def launcher_cls(self) -> type[CudaLauncher]:
        """What launches compiled kernels."""
        return Launcher


class Launcher(CudaLauncher):
    """Triton's launcher, without the last call."""

    def __init__(self, src: object, metadata: object) -> None:
        self.num_ctas = 1
        self.global_scratch_size = self.profile_scratch_size = 0
        self.global_scratch_align = self.profile_scratch_align = 1
        self.launch_cooperative_grid = self.launch_pdl = False
        self.arg_annotations = self.kernel_signature = None
        self.launch = lambda *args: None
