"""Dynamic ReLU (arXiv 2003.10027) for MMPose; the import registers what configs can name."""

from .compat import installed, mmpose

installed.check_installed()
mmpose.apply()  # before anything imports mmpose

from .compat import checkpoints  # noqa: E402
from .config import names, safe  # noqa: E402

checkpoints.apply()
names.apply()
safe.apply()

from . import codecs, datasets, engine, evaluation, layers, models  # noqa: E402
from .layers import DyReLUA, DyReLUB, DyReLUC  # noqa: E402
from .ops import dyrelu, dyrelu_given  # noqa: E402

__version__ = "0.1.0"
__all__ = [
    "DyReLUA",
    "DyReLUB",
    "DyReLUC",
    "codecs",
    "datasets",
    "dyrelu",
    "dyrelu_given",
    "engine",
    "evaluation",
    "layers",
    "models",
]
