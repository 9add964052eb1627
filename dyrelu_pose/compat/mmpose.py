"""Lets MMPose 1.3.2 import without mmdet, torchvision, xtcocotools and compiled mmcv operators.

MMPose imports these at the top of its modules, whether or not they are used. `apply()` tries each;
one that imports is left alone, one that is absent or broken is replaced in `sys.modules` by the
stand-in that `STAND_INS` describes.

MMPretrain, which is optional, asks for more of torchvision: see `mmpretrain.py`.
"""

import importlib.metadata
import sys
import warnings
from importlib.util import find_spec

from .mmpretrain import TorchvisionForMMPretrain, random_resized_crop
from .stand_ins import StandIn, StandInFinder, unusable_class


def _mmcv_ops() -> dict[str, object]:
    attention = "mmcv.ops.MultiScaleDeformableAttention"
    return {attention.rpartition(".")[2]: unusable_class(attention, _MMCV_OPS.hint(attention))}


def _mmdet_utils() -> dict[str, object]:
    from mmengine.config import ConfigDict
    from mmengine.dist import all_reduce

    def reduce_mean(tensor):
        """Return the mean of `tensor` over all ranks."""
        mean = tensor.clone()
        all_reduce(mean, op="mean")
        return mean

    return {"ConfigType": ConfigDict | dict, "reduce_mean": reduce_mean}


def _torchvision_transforms() -> dict[str, object]:
    return {"ToPILImage": ToPILImage, "RandomResizedCrop": random_resized_crop()}


class ToPILImage:
    """Turns a picture into a PIL image by torchvision's rules, for MMPose's SimCC visualiser."""

    def __call__(self, picture):
        """Convert one picture.

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
    from .xtcocotools import COCO

    return {"COCO": COCO}


def _xtcocotools_cocoeval() -> dict[str, object]:
    from .xtcocotools import COCOeval, Params

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
        {"mmdet.utils": _mmdet_utils, "mmdet.registry": dict},
        needed_by="mmpose.models (RTMO) and mmengine (configs with mmdet's scope)",
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


_FINDER = StandInFinder()


def active() -> list[StandIn]:
    """Return the stand-ins that are in place of what does not import here."""
    return [s for s in STAND_INS if all(map(_FINDER.stands_in_for, s.modules))]


def apply() -> None:
    """Put a stand-in in place of each package of `STAND_INS` that does not import.

    Call it before the first import of mmpose; further calls do nothing.
    """
    if _FINDER in sys.meta_path:
        return
    sys.meta_path.append(_FINDER)
    # Each would be the first thing that every user reads, about what this module takes care of.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API")
    warnings.filterwarnings("ignore", message="Fail to import ``MultiScaleDeformableAttention``")
    warnings.filterwarnings("ignore", message=r"`torch\.cuda\.amp\.autocast", module="mmpose")
    warnings.filterwarnings("ignore", message="The metainfo config file")  # found in the package
    for stand_in in STAND_INS:
        if stand_in.imports():
            continue
        for name in stand_in.modules:  # what a failed import left behind
            sys.modules.pop(name, None)
        if stand_in.hide and stand_in.hide not in sys.modules and find_spec(stand_in.hide):
            # Its import now raises ModuleNotFoundError. (The stub of sys.modules knows no None.)
            sys.modules[stand_in.hide] = None  # pyright: ignore[reportArgumentType]
        _FINDER.install(stand_in)
    if _FINDER.stands_in_for("torchvision.transforms"):
        sys.meta_path.insert(0, TorchvisionForMMPretrain(_FINDER))
