"""Dynamic ReLU (arXiv 2003.10027) for MMPose; the import registers what configs can name.

It also changes the process that it is imported into. The reason of each is in docs/trust.md:

- `sys.meta_path`: a finder behind the others says what a stand-in lacks; where torchvision does
  not import, one before them lets MMPretrain do without it.
- `sys.modules`: stand-ins for what MMPose asks for and does not import (of `mmcv.ops`, `mmdet`,
  `torchvision`, `xtcocotools`, `pkg_resources`); a broken mmdet or torchvision counts as absent.
- `warnings.filters`: four warnings about what is taken care of here are silent.
- `torch.serialization`: MMEngine's logs and NumPy's numbers are on the allow-list of checkpoints.
- `CheckpointLoader`: every scheme loads weights only, and has one clear error for damage.
- `Config._get_cfg_path`: `_base_` may name `dyrelu_pose::...`, and of a JSON or YAML config no
  Python file.
- `file_handlers`: YAML is read as plain data, JSON with a byte-order mark too.
- `MMLogger.__init__`: logs are UTF-8, whatever the locale.
- `LoadImage`: registered in place of MMPose's; damage is named, or left out.
- `AFLWDataset`, `AP10KDataset`, `ATRWDataset`, `AicDataset`, `AnimalKingdomDataset`,
  `AnimalPoseDataset`, `BaseCocoStyleDataset`, `COFWDataset`, `CocoDataset`, `CocoWholeBodyDataset`,
  `CocoWholeBodyFaceDataset`, `CrowdPoseDataset`, `DeepFashion2Dataset`, `DeepFashionDataset`,
  `ExlposeDataset`, `Face300VWDataset`, `Face300WDataset`, `Face300WLPDataset`, `FlyDataset`,
  `FreiHandDataset`, `HalpeDataset`, `Horse10Dataset`, `HumanArt21Dataset`, `HumanArtDataset`,
  `JhmdbDataset`, `LapaDataset`, `LocustDataset`, `MacaqueDataset`, `MhpDataset`, `OCHumanDataset`,
  `OneHand10KDataset`, `PanopticHand2DDataset`, `PoseTrack18Dataset`, `PoseTrack18VideoDataset`,
  `Rhd2DDataset`, `UBody2dDataset`, `WFLWDataset`, `ZebraDataset`: as well, its data sets that read
  COCO's lists; what cannot be right is named, or left out.
- `CheckpointHook`, `FSDPStrategy`: registered in place of MMEngine's.
- `mmdet.PipelineSwitchHook`, `mmdet.YOLOXHSVRandomAug`: registered where mmdet does not import.
- `AtomicLocalBackend`: registered in place of MMEngine's `LocalBackend`; files are whole or not
  there.
"""

from .compat.installed import check_installed
from .compat.mmpose import apply as install_stand_ins

check_installed()
install_stand_ins()  # before anything imports mmpose

from .compat.checkpoints import apply as load_weights_only  # noqa: E402
from .config.names import apply as find_configs_by_name  # noqa: E402
from .config.safe import apply as read_data_as_data  # noqa: E402

load_weights_only()
find_configs_by_name()
read_data_as_data()

from . import codecs, datasets, engine, evaluation, layers, models  # noqa: E402
from .engine.logs import apply as log_in_utf8  # noqa: E402
from .engine.pipeline_switch import apply as register_by_mmdets_names  # noqa: E402
from .layers import DyReLUA, DyReLUB, DyReLUC  # noqa: E402
from .ops import dyrelu, dyrelu_given  # noqa: E402

log_in_utf8()
register_by_mmdets_names()

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
