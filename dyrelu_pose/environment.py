"""What a bug report needs: versions, devices, compiler, and what stands in for what."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

import torch
from mmengine.utils.dl_utils import collect_env

from dyrelu_pose import __version__
from dyrelu_pose.compat.mmpose import active
from dyrelu_pose.compat.stand_ins import StandIn
from dyrelu_pose.ops.backends import auto_backend
from dyrelu_pose.paths import IN_WHEEL
from dyrelu_pose.records.origin import processor, revision

# In a group one does the work of the others, and the first that is there is meant.
PACKAGES = (
    *("torch", "numpy", "mmengine", ("mmcv", "mmcv-lite"), "mmpose", "mmpretrain", "pycocotools"),
    ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    *("triton", "numba", "onnx", "onnxscript", "onnxruntime", "openvino", "tensorboard"),
)
ABSENT = "not installed"


def describe() -> dict[str, str]:
    """Return the facts by name, in the order in which they are read."""
    facts = {
        "dyrelu_pose": _project(),
        "Python": platform.python_version(),
        "system": platform.platform(),
    }
    facts |= dict(_package(names) for names in PACKAGES)
    facts |= _devices()
    facts["C++ compiler"] = _compiler()
    facts["backend 'auto'"] = _backend()
    return facts | dict(map(_stand_in, active()))


def _project() -> str:
    if IN_WHEEL.is_dir():
        return f"{__version__}, from a wheel"
    return f"{__version__}, from a checkout at {revision() or 'no git revision'}"


def _package(names: str | tuple[str, ...]) -> tuple[str, str]:
    """Return the name and the version of the first of these packages that is installed."""
    names = (names,) if isinstance(names, str) else names
    for name in names:
        with suppress(PackageNotFoundError):
            return name, version(name)
    return names[0], ABSENT


def _devices() -> dict[str, str]:
    threads = f"{torch.get_num_threads()} threads of {os.cpu_count()} processors"
    asked = os.environ.get("OMP_NUM_THREADS")
    facts = {"CPU": f"{processor()}, {threads}, OMP_NUM_THREADS {asked or 'not set'}"}
    gpus = {}
    if torch.cuda.is_available():  # MMEngine asks for the toolkit, which is for GPUs alone
        names = ("GPU ", "NVCC")
        gpus = {k: str(v) for k, v in collect_env().items() if k.startswith(names)}
    return facts | (gpus or {"GPU": "none that torch finds"})


def _compiler() -> str:
    """Say which C++ compiler torch.compile finds."""
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        return get_cpp_compiler()
    except RuntimeError:
        return "none that torch.compile finds"


def _backend() -> str:
    """Say which backend `'auto'` takes: on a CPU it depends on the samples per thread."""
    threads = torch.get_num_threads()
    names = {n: auto_backend(torch.empty(n, 1, 1, 1)) for n in sorted({1, threads})}
    if len(set(names.values())) == 1:
        text = f"{names[1]} on the CPU"
    else:
        text = f"{names[threads]} on the CPU for {threads} samples and more, {names[1]} below"
    if torch.cuda.is_available():
        text += f", {auto_backend(torch.empty(1, 1, 1, 1, device='cuda'))} on the GPU"
    return text


def _stand_in(stand_in: StandIn) -> tuple[str, str]:
    """Say what a stand-in is for, and whether what it replaces is absent or broken."""
    module = next(iter(stand_in.modules))
    package, found = _package(module.partition(".")[0])
    why = f"{package} is {ABSENT}" if found == ABSENT else f"{package} {found} does not import it"
    return module, f"stand-in: {why}; asked for by {stand_in.needed_by}"
