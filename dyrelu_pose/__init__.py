"""Dynamic ReLU (arXiv 2003.10027) for MMPose; the import registers what configs can name."""

from . import openmmlab

openmmlab.check_installed()

from . import compat  # noqa: E402

compat.apply()  # before anything imports mmpose

from . import checkpoint, config_names, data_configs  # noqa: E402

checkpoint.apply()
config_names.apply()
data_configs.apply()

from . import codecs, datasets, engine, evaluation, layers, models, transforms  # noqa: E402
from .layers import DyReLUA, DyReLUB, DyReLUC  # noqa: E402
from .ops import dyrelu  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "DyReLUA",
    "DyReLUB",
    "DyReLUC",
    "codecs",
    "datasets",
    "dyrelu",
    "engine",
    "evaluation",
    "layers",
    "models",
    "transforms",
]
