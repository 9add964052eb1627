"""Lets MMPose 1.3.2 import without mmdet, torchvision, xtcocotools and compiled mmcv operators.

MMPose imports these at the top of its modules, whether or not they are used. `apply()` tries each;
one that imports is left alone, one that is absent or broken is replaced in `sys.modules` by the
stand-in that `STAND_INS` describes.

A stand-in holds only the names that MMPose imports unconditionally. Importing any other name from
it raises ModuleNotFoundError, just as if the package were absent: MMPose, MMEngine and MMCV have
fallbacks of their own (`try: from mmcv.ops import ... except ImportError`), which must still work.
For the same reason a missing parent package (mmdet, torchvision) stays missing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
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
        """Whether the real modules import."""
        try:
            for name in self.modules:
                importlib.import_module(name)
        except Exception:  # whatever a broken package raises
            return False
        return True

    def hint(self, name: str) -> str:
        """The error text for use of the dotted `name`."""
        return (
            f"{name} is not available: its package is absent or does not import, and "
            f"dyrelu_pose only stands in for it so that {self.needed_by} can be imported. "
            f"To use it, {self.install}."
        )


def _unusable_class(dotted_name: str, message: str) -> type:
    """A class fit for `isinstance` and annotations, whose construction raises."""

    def __init__(self, *args, **kwargs):
        raise MissingPackageError(message)

    module, _, name = dotted_name.rpartition(".")
    return type(name, (), {"__init__": __init__, "__module__": module})


def _mmcv_ops() -> dict[str, object]:
    attention = "mmcv.ops.MultiScaleDeformableAttention"
    return {attention.rpartition(".")[2]: _unusable_class(attention, _MMCV_OPS.hint(attention))}


def _mmdet_utils() -> dict[str, object]:
    from mmengine.config import ConfigDict
    from mmengine.dist import all_reduce

    def reduce_mean(tensor):
        """The mean of `tensor` over all ranks."""
        mean = tensor.clone()
        all_reduce(mean, op="mean")
        return mean

    return {"ConfigType": ConfigDict | dict, "reduce_mean": reduce_mean}


def _torchvision_transforms() -> dict[str, object]:
    return {"ToPILImage": ToPILImage}


class ToPILImage:
    """Turns a picture into a PIL image by torchvision's rules, for MMPose's SimCC visualiser."""

    def __call__(self, picture):
        """
        Args:
            picture: tensor (C, H, W) or (H, W), or array (H, W, C) or (H, W). Floating values
                count from 0 to 1 and become 8 bits.

        Returns:
            The PIL image.

        Raises:
            TypeError: no PIL mode holds these channels of this dtype, or `picture` is neither.
            ValueError: `picture` has not 2 or 3 dimensions.
        """
        import numpy as np
        import torch
        from PIL import Image

        if not isinstance(picture, torch.Tensor | np.ndarray):
            raise TypeError(f"expected a tensor or an ndarray, got {type(picture).__name__}")
        if picture.ndim not in (2, 3):
            raise ValueError(f"expected 2 or 3 dimensions, got shape {tuple(picture.shape)}")
        if isinstance(picture, torch.Tensor):
            picture = picture.numpy(force=True)
            if picture.ndim == 3:
                picture = picture.transpose(1, 2, 0)  # (H, W, C)
        if np.issubdtype(picture.dtype, np.floating):
            picture = (picture * 255).astype(np.uint8)
        if picture.shape[2:] == (1,):
            picture = picture[:, :, 0]
        return Image.fromarray(np.ascontiguousarray(picture))


class DistributionNotFound(Exception):
    """No distribution of that name is installed."""


class _Distribution:
    """What MMEngine reads of a pkg_resources distribution."""

    def __init__(self, metadata: importlib.metadata.Distribution):
        self.version = metadata.version
        self.location = str(metadata.locate_file(""))
        self.get_metadata = metadata.read_text

    def has_metadata(self, name: str) -> bool:
        return self.get_metadata(name) is not None


def _get_distribution(name: str) -> _Distribution:
    try:
        return _Distribution(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError as error:
        raise DistributionNotFound(f"no distribution named {name!r} is installed") from error


def _pkg_resources() -> dict[str, object]:
    return {"DistributionNotFound": DistributionNotFound, "get_distribution": _get_distribution}


def _xtcocotools_coco() -> dict[str, object]:
    from .xtcoco import COCO

    return {"COCO": COCO}


def _xtcocotools_cocoeval() -> dict[str, object]:
    from .xtcoco import COCOeval, Params

    return {"COCOeval": COCOeval, "Params": Params}


def _xtcocotools_mask() -> dict[str, object]:
    from pycocotools import mask

    names = ("area", "decode", "encode", "frPyObjects", "iou", "merge", "toBbox")
    return {name: getattr(mask, name) for name in names}


_MMCV_OPS = StandIn(
    {"mmcv.ops": _mmcv_ops},
    needed_by="mmpose.models (EDPose)",
    install="replace mmcv-lite by mmcv with its compiled operators: "
    "pip uninstall mmcv-lite, then mim install 'mmcv==2.2.0'",
)

STAND_INS = (
    StandIn(
        {"pkg_resources": _pkg_resources},
        needed_by="mmengine (configs that inherit from 'mmpose::...')",
        install="pip install 'setuptools<81'",
    ),
    _MMCV_OPS,
    StandIn(
        {"mmdet.utils": _mmdet_utils},
        needed_by="mmpose.models (RTMO)",
        install="pip install mmdet",
        hide="mmdet",
    ),
    StandIn(
        {"torchvision.transforms": _torchvision_transforms},
        needed_by="mmpose.visualization (SimCC)",
        install="pip install the torchvision that matches your torch",
        hide="torchvision",
    ),
    StandIn(
        {
            "xtcocotools": dict,
            "xtcocotools.coco": _xtcocotools_coco,
            "xtcocotools.cocoeval": _xtcocotools_cocoeval,
            "xtcocotools.mask": _xtcocotools_mask,
        },
        needed_by="mmpose.datasets and mmpose.evaluation",
        install="pip install xtcocotools 'numpy<2'",
    ),
)


class _StandInFinder:
    """The last finder on `sys.meta_path`: makes the stand-ins and says what they lack.

    An import of `mmcv.ops.nms`, or of `nms` from `mmcv.ops`, gets here once it has found nothing.
    MMEngine reloads pkg_resources, for which Python asks the finders again.
    """

    def __init__(self):
        self._stand_ins: dict[str, StandIn] = {}

    def install(self, stand_in: StandIn) -> None:
        """Puts the modules of `stand_in` into `sys.modules`, and on their parents."""
        self._stand_ins.update(dict.fromkeys(stand_in.modules, stand_in))
        for name in stand_in.modules:
            module = module_from_spec(self.find_spec(name))
            self.exec_module(module)
            sys.modules[name] = module
            parent, _, child = name.rpartition(".")
            if sys.modules.get(parent) is not None:
                setattr(sys.modules[parent], child, module)

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname in self._stand_ins:
            # a package, so that Python asks for 'mmcv.ops.nms' on `from mmcv.ops import nms`
            return ModuleSpec(fullname, self, is_package=True)
        parent = self._stand_ins.get(fullname.rpartition(".")[0])
        if parent is None:
            return None
        raise ModuleNotFoundError(parent.hint(fullname), name=fullname.partition(".")[0])

    def create_module(self, spec: ModuleSpec) -> None:
        return None  # an ordinary module

    def exec_module(self, module: ModuleType) -> None:
        stand_in = self._stand_ins[module.__name__]

        def missing(name: str):
            # AttributeError, not ImportError: hasattr, inspect and pickle ask every module
            raise AttributeError(stand_in.hint(f"{module.__name__}.{name}"))

        vars(module).update(stand_in.modules[module.__name__](), __getattr__=missing)


_FINDER = _StandInFinder()


def apply() -> None:
    """Puts a stand-in in place of each package of `STAND_INS` that does not import.

    Call it before the first import of mmpose; further calls do nothing.
    """
    if _FINDER in sys.meta_path:
        return
    sys.meta_path.append(_FINDER)
    # Each would be the first thing that every user reads, about what this module takes care of.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API")
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")
    for stand_in in STAND_INS:
        if stand_in.imports():
            continue
        for name in stand_in.modules:  # what a failed import left behind
            sys.modules.pop(name, None)
        if stand_in.hide and stand_in.hide not in sys.modules and find_spec(stand_in.hide):
            sys.modules[stand_in.hide] = None  # its import now raises ModuleNotFoundError
        _FINDER.install(stand_in)
