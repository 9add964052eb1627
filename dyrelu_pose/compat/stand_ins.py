"""Modules that stand in for a package which does not import.

A stand-in holds only the names that somebody imports unconditionally. Importing any other name from
it raises ModuleNotFoundError, just as if the package were absent: MMPose, MMEngine and MMCV have
fallbacks of their own (`try: from mmcv.ops import ... except ImportError`), which must still work.
For the same reason a missing parent package (mmdet, torchvision) stays missing.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from types import ModuleType


class MissingPackageError(ImportError):
    """A stand-in was used where only the real package will do."""


@dataclass(frozen=True)
class StandIn:
    """What replaces a group of modules of which one does not import.

    Args:
        modules: dotted module names, each with the function that returns its names.
        needed_by: who imports them.
        install: what the user has to do to get the real ones.
        hide: a package to treat as absent if it is there but broken. MMPose looks for it with
            `except ImportError`; mmdet 3.3 beside mmcv 2.2 raises AssertionError, torchvision
            beside the wrong torch RuntimeError.
    """

    modules: dict[str, Callable[[], dict[str, object]]]
    needed_by: str
    install: str
    hide: str | None = None

    def imports(self) -> bool:
        """Tell whether the real modules import."""
        try:
            for name in self.modules:
                importlib.import_module(name)
        except Exception:  # whatever a broken package raises
            return False
        return True

    def hint(self, name: str) -> str:
        """Return the error text for use of the dotted `name`."""
        return (
            f"{name} is not available: its package is absent or does not import, and "
            f"dyrelu_pose only stands in for it so that {self.needed_by} can be imported. "
            f"To use it, {self.install}."
        )


def unusable_class(dotted_name: str, message: str) -> type:
    """Return a class fit for `isinstance` and annotations, whose construction raises."""

    def __init__(self, *args, **kwargs):
        raise MissingPackageError(message)

    module, _, name = dotted_name.rpartition(".")
    return type(name, (), {"__init__": __init__, "__module__": module})


class StandInFinder(Loader):
    """The last finder on `sys.meta_path`: makes the stand-ins and says what they lack.

    An import of `mmcv.ops.nms`, or of `nms` from `mmcv.ops`, gets here once it has found nothing.
    MMEngine reloads pkg_resources, for which Python asks the finders again.
    """

    def __init__(self):
        self._stand_ins: dict[str, StandIn] = {}

    def install(self, stand_in: StandIn) -> None:
        """Put the modules of `stand_in` into `sys.modules`, and on their parents."""
        self._stand_ins.update(dict.fromkeys(stand_in.modules, stand_in))
        for name in stand_in.modules:
            module = module_from_spec(self._spec(name))
            self.exec_module(module)
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            if sys.modules.get(parent) is not None:
                setattr(sys.modules[parent], child, module)

    def stands_in_for(self, name: str) -> bool:
        """Tell whether the module of that name is a stand-in."""
        return name in self._stand_ins

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        """Return the spec of a stand-in; say what is missing for a name below one."""
        if fullname in self._stand_ins:
            return self._spec(fullname)
        parent = self._stand_ins.get(fullname.rpartition(".")[0])
        if parent is None:
            return None
        raise ModuleNotFoundError(parent.hint(fullname), name=fullname.partition(".")[0])

    def _spec(self, name: str) -> ModuleSpec:
        # of a package, so that Python asks for 'mmcv.ops.nms' on `from mmcv.ops import nms`
        return ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module, an ordinary one, to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill a stand-in with its names."""
        stand_in = self._stand_ins[module.__name__]

        def missing(name: str):
            # AttributeError, not ImportError: hasattr, inspect and pickle ask every module
            raise AttributeError(stand_in.hint(f"{module.__name__}.{name}"))

        vars(module).update(stand_in.modules[module.__name__](), __getattr__=missing)
