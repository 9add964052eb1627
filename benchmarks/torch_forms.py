"""The forms in which PyTorch itself runs a model: what takes an image, made of a network."""

import copy
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from dyrelu_pose.export.deployed import deploy
from dyrelu_pose.export.network import Network

Run = Callable[[Tensor], object]


class Skipped(Exception):
    """A form cannot be made here; says why."""


def eager(network: Network, image: Tensor, folder: Path) -> Run:
    """Return the network as it is."""
    return network


def deployed(network: Network, image: Tensor, folder: Path) -> Run:
    """Return its deployed form."""
    return deploy(copy.deepcopy(network))


def compiled(network: Network, image: Tensor, folder: Path) -> Run:
    """Return it through torch.compile."""
    _need_compiler()
    torch._dynamo.reset()
    return torch.compile(network)


def deployed_compiled(network: Network, image: Tensor, folder: Path) -> Run:
    """Return its deployed form through torch.compile."""
    return compiled(deployed(network, image, folder), image, folder)


def exported(network: Network, image: Tensor, folder: Path) -> Run:
    """Return its deployed form through torch.export."""
    return torch.export.export(deployed(network, image, folder), (image,)).module()


def traced(network: Network, image: Tensor, folder: Path) -> Run:
    """Return the trace of its deployed form, frozen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is not developed any more
        trace = torch.jit.trace(deployed(network, image, folder), image)
        return torch.jit.freeze(trace)


def aot_inductor(network: Network, image: Tensor, folder: Path) -> Run:
    """Return its deployed form as AOTInductor's package."""
    _need_compiler()
    program = torch.export.export(deployed(network, image, folder), (image,))
    path = torch._inductor.aoti_compile_and_package(program, package_path=str(folder / "model.pt2"))
    return torch._inductor.aoti_load_package(path)


def _need_compiler() -> None:
    if not any(shutil.which(name) for name in ("g++", "clang++", "c++")):
        raise Skipped("there is no C++ compiler")


FORMS = {
    "eager": eager,
    "eager, deployed": deployed,
    "torch.compile": compiled,
    "torch.compile, deployed": deployed_compiled,
    "torch.export": exported,
    "TorchScript": traced,
    "AOTInductor": aot_inductor,
}
