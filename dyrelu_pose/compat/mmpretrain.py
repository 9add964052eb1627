"""Lets MMPretrain 1.2.0, an optional package, import without torchvision.

Three parts of it import torchvision, and the package itself, at the top of their modules. While one
of them is being imported there is a package of that name; afterwards torchvision is as absent as it
was, for everybody who asks. Nothing happens until somebody imports MMPretrain.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from .stand_ins import StandIn, StandInFinder, unusable_class

PARTS = ("mmpretrain.datasets", "mmpretrain.evaluation", "mmpretrain.models")


def random_resized_crop() -> type:
    """Return what stands in for the base class of one of MMPretrain's transforms."""
    name = "torchvision.transforms.RandomResizedCrop"
    return unusable_class(name, _TORCHVISION.hint(name))


def _interpolation_mode() -> dict[str, object]:
    name = "torchvision.transforms.transforms.InterpolationMode"
    return {"InterpolationMode": unusable_class(name, _TORCHVISION.hint(name))}


# What MMPretrain needs beside "torchvision.transforms".
_TORCHVISION = StandIn(
    {
        "torchvision.transforms.functional": dict,
        "torchvision.transforms.transforms": _interpolation_mode,
        "torchvision.ops": dict,
        "torchvision.ops.boxes": dict,
    },
    needed_by="mmpretrain",
    install="pip install the torchvision that matches your torch",
)


class TorchvisionForMMPretrain:
    """The first finder on `sys.meta_path`: runs `PARTS` with a torchvision package in place.

    Args:
        stand_ins: makes the stand-ins; "torchvision.transforms" must be one of them.
    """

    def __init__(self, stand_ins: StandInFinder):
        self._stand_ins = stand_ins
        self._package: ModuleType | None = None

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """Return the spec of one of `PARTS`, which is run with the stand-ins in place."""
        spec = PathFinder.find_spec(fullname, path, target) if fullname in PARTS else None
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with self._torchvision():
                run(module)

        spec.loader.exec_module = exec_module
        return spec

    @contextmanager
    def _torchvision(self) -> Iterator[None]:
        """Let `import torchvision` find its stand-ins, for as long as the context lasts."""
        marked_missing = "torchvision" in sys.modules  # as None
        before = sys.modules.pop("torchvision", None)
        try:
            sys.modules["torchvision"] = self._package or self._make_package()
            yield
        finally:
            del sys.modules["torchvision"]
            if marked_missing:
                # The stub of sys.modules knows no None.
                sys.modules["torchvision"] = before  # pyright: ignore[reportArgumentType]

    def _make_package(self) -> ModuleType:
        self._package = sys.modules["torchvision"] = ModuleType("torchvision")
        # with a spec: `find_spec("torchvision")`, which optional packages call, raises without one
        self._package.__spec__ = ModuleSpec("torchvision", None, is_package=True)
        vars(self._package).update(transforms=sys.modules["torchvision.transforms"])
        self._stand_ins.install(_TORCHVISION)
        return self._package
