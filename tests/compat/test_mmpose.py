"""MMPose imports and runs whether its optional packages are absent, broken or present."""

import importlib.metadata
import os
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dyrelu_pose.compat import mmpose as compat
from dyrelu_pose.paths import ROOT
from tests import scripts

# isort: split
# mmpose imports only once dyrelu_pose has been
import mmcv
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.registry import HOOKS, MODELS, VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.testing import get_packed_inputs
from mmpose.visualization.simcc_vis import SimCCVisualizer

# Makes the optional packages absent on any machine: None in sys.modules fails their import.
ABSENT = """
import sys
for name in ("mmdet", "torchvision", "xtcocotools", "pkg_resources", "mmcv._ext"):
    sys.modules[name] = None
import dyrelu_pose
"""


def run(code: str, path: Path = ROOT) -> str:
    """What a fresh interpreter prints for `code`, with `path` first on its module path."""
    return scripts.run("-c", textwrap.dedent(code), PYTHONPATH=f"{path}{os.pathsep}{ROOT}")


def package(root: Path, files: dict[str, str]) -> Path:
    """Writes importable modules under `root`: {"pkg/module.py": source}."""
    for name, source in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
        (root / Path(name).parts[0] / "__init__.py").touch()
    return root


def test_mmpose_imports_without_the_optional_packages():
    run(
        ABSENT
        + """
import mmpose.apis, mmpose.codecs, mmpose.datasets, mmpose.engine, mmpose.evaluation
import mmpose.models, mmpose.structures, mmpose.visualization
import mmcv.utils.env
from mmengine.config import Config
from mmengine.utils import get_installed_path, is_installed
from mmengine.utils.dl_utils import collect_env

assert "TorchVision" not in collect_env()
assert mmcv.utils.env.collect_env()["MMCV Compiler"] == "n/a"
assert not mmpose.apis.inferencers.base_mmpose_inferencer.has_mmdet
assert not mmpose.models.heads.hybrid_heads.dekr_head.has_mmcv_full
assert is_installed("mmpose") and not is_installed("mmdet")
assert get_installed_path("mmpose") == mmpose.__path__[0]
base = "_base_ = 'mmpose::_base_/default_runtime.py'"
assert Config.fromstring(base, ".py").default_scope == "mmpose"
"""
    )


def test_the_rest_of_a_stand_in_looks_absent():
    messages = run(
        ABSENT
        + """
import importlib, importlib.util, pickle
import mmcv.ops, torch

for statement in (
    "from mmcv.ops import nms",
    "import mmcv.ops.roi_align",
    "from mmcv.ops.multi_scale_deform_attn import MultiScaleDeformableAttention",
    "from mmdet.utils import register_all_modules",
    "from mmdet.registry import MODELS",
    "from torchvision.transforms import Compose",
    "from pkg_resources import working_set",
    "from xtcocotools.coco import urlretrieve",
):
    try:
        exec(statement)
    except ModuleNotFoundError as error:
        print(error)
    else:
        raise AssertionError(statement)

assert not hasattr(mmcv.ops, "nms")
for name in ("mmdet", "torchvision"):
    assert importlib.util.find_spec(name) is None, name
for name in (
    "mmcv.ops", "mmdet.utils", "mmdet.registry", "torchvision.transforms", "pkg_resources"
):
    spec = importlib.util.find_spec(name)
    assert importlib.import_module(name).__spec__ is spec and spec.name == name
pickle.dumps(torch.relu)  # looks for the function's name in every module
"""
    ).splitlines()

    packages = ["mmcv==2.2.0"] * 3 + ["mmdet"] * 2 + ["torchvision", "setuptools<81", "xtcocotools"]
    assert len(messages) == len(packages)
    for message, name in zip(messages, packages, strict=True):
        assert "To use it, " in message
        assert name in message.partition("To use it, ")[2]


def test_using_a_stand_in_class_says_what_to_install():
    printed = run(
        ABSENT
        + """
from mmpose.models.heads.transformer_heads.edpose_head import MultiScaleDeformableAttention

assert not isinstance(1, MultiScaleDeformableAttention)
try:
    MultiScaleDeformableAttention(embed_dims=256)
except ImportError as error:
    print(error)
"""
    )
    assert "mmcv.ops.MultiScaleDeformableAttention is not available" in printed
    assert "mim install 'mmcv==2.2.0'" in printed


def test_real_packages_are_left_alone(tmp_path):
    real = {
        "mmdet/utils/__init__.py": "ConfigType = dict\ndef reduce_mean(x): ...",
        "mmdet/registry.py": "",
        "torchvision/transforms/__init__.py": "class ToPILImage: ...\nclass Compose: ...",
        "xtcocotools/coco.py": "class COCO: ...",
        "xtcocotools/cocoeval.py": "class COCOeval: ...",
        "xtcocotools/mask.py": "",
        "pkg_resources/__init__.py": "",
    }
    run(
        """
        import sys, types
        ops = sys.modules["mmcv.ops"] = types.ModuleType("mmcv.ops")
        ops.MultiScaleDeformableAttention = object
        import dyrelu_pose
        import mmdet.utils, pkg_resources, torchvision.transforms
        import xtcocotools.coco, xtcocotools.cocoeval, xtcocotools.mask

        assert sys.modules["mmcv.ops"] is ops
        for module in (mmdet.utils, pkg_resources, torchvision.transforms,
                       xtcocotools.coco, xtcocotools.cocoeval, xtcocotools.mask):
            assert module.__file__.startswith(sys.path[1]), module
        from torchvision.transforms import Compose
        """,
        package(tmp_path, real),
    )


def test_broken_packages_count_as_absent(tmp_path):
    broken = {
        "mmdet/__init__.py": "raise AssertionError('MMCV==2.2.0 is used but incompatible')",
        "mmdet/utils/__init__.py": "",
        "torchvision/__init__.py": "raise RuntimeError('operator torchvision::nms does not exist')",
        "torchvision/transforms/__init__.py": "",
        "xtcocotools/coco.py": "from . import mask",
        "xtcocotools/cocoeval.py": "from . import mask",
        "xtcocotools/mask.py": "raise ValueError('numpy.dtype size changed')",
    }
    package(tmp_path, broken)
    run(
        """
        import dyrelu_pose
        import mmpose.apis, mmpose.models
        from mmengine.utils.dl_utils import collect_env
        from xtcocotools.coco import COCO
        from dyrelu_pose.compat import xtcocotools

        assert not mmpose.apis.inferencers.base_mmpose_inferencer.has_mmdet
        assert "TorchVision" not in collect_env()
        assert COCO is xtcocotools.COCO
        """,
        tmp_path,
    )


def test_mmpretrain_imports_without_torchvision():
    """And none of it before somebody asks for it: that takes seconds."""
    run(
        ABSENT
        + """
import mmpose.models

assert "mmpretrain" not in sys.modules
import mmpretrain.datasets, mmpretrain.evaluation, mmpretrain.models

assert sys.modules["torchvision"] is None
try:
    import torchvision.ops
except ModuleNotFoundError:
    pass
else:
    raise AssertionError("torchvision has to stay absent")
"""
    )


def test_pose_configs_find_the_backbones_of_mmpretrain():
    vit = dict(type="mmpretrain.VisionTransformer", arch="deit-tiny", img_size=(96, 64))
    backbone = MODELS.build(
        dict(**vit, patch_size=16, with_cls_token=False, out_type="featmap", qkv_bias=True)
    )
    assert backbone(torch.zeros(1, 3, 96, 64))[0].shape == (1, 192, 6, 4)


def test_apply_again_changes_nothing():
    modules, finders = dict(sys.modules), list(sys.meta_path)
    compat.apply()
    assert sys.modules == modules
    assert sys.meta_path == finders


@pytest.fixture(scope="module", autouse=True)
def mmpose_scope():
    """Names in configs are MMPose's, whatever scope a runner of another test has left."""
    with DefaultScope.overwrite_default_scope("mmpose"):
        yield


def stand_in(module: str) -> dict[str, object]:
    """The names of the stand-in for `module`, whether or not it is in use here."""
    return next(entry.modules[module]() for entry in compat.STAND_INS if module in entry.modules)


def test_pkg_resources_stand_in_answers_what_mmengine_asks():
    names = stand_in("pkg_resources")
    mmpose = names["get_distribution"]("mmpose")
    assert mmpose.version == importlib.metadata.version("mmpose")
    assert (Path(mmpose.location) / "mmpose" / "__init__.py").exists()
    assert mmpose.has_metadata("top_level.txt")
    assert mmpose.get_metadata("top_level.txt").split() == ["mmpose"]
    assert not mmpose.has_metadata("no such file")
    with pytest.raises(names["DistributionNotFound"], match="no-such-package"):
        names["get_distribution"]("no-such-package")


def test_reduce_mean_of_one_process_is_a_copy():
    tensor = torch.tensor([1.0, 3.0])
    mean = stand_in("mmdet.utils")["reduce_mean"](tensor)
    assert torch.equal(mean, tensor)
    assert mean is not tensor


@pytest.mark.parametrize(
    ("picture", "mode", "values"),
    [
        (torch.tensor([[0.0, 0.5, 1.0]]), "L", [[0, 127, 255]]),
        (torch.tensor([[[0.0, 0.5, 1.0]]]), "L", [[0, 127, 255]]),
        (torch.tensor([[[1]], [[2]], [[3]]], dtype=torch.uint8), "RGB", [[[1, 2, 3]]]),
        (np.array([[[7], [8]]], np.uint8), "L", [[7, 8]]),
        (np.array([[[1, 2, 3]]], np.uint8), "RGB", [[[1, 2, 3]]]),
        (np.array([[[1, 2, 3, 4]]], np.uint8), "RGBA", [[[1, 2, 3, 4]]]),
        (np.array([[[0.0, 0.5, 1.0]]]), "RGB", [[[0, 127, 255]]]),
        (np.array([[1, -2]], np.int32), "I", [[1, -2]]),
    ],
)
def test_to_pil_image_follows_torchvision(picture, mode, values):
    image = compat.ToPILImage()(picture)
    assert image.mode == mode
    assert np.asarray(image).tolist() == values


@pytest.mark.parametrize(
    ("picture", "error"),
    [
        ([[1]], TypeError),
        (np.zeros((2, 2, 3), np.int32), TypeError),
        (torch.zeros(2), ValueError),
        (np.zeros((1, 1, 1, 1), np.uint8), ValueError),
    ],
)
def test_to_pil_image_refuses(picture, error):
    with pytest.raises(error):
        compat.ToPILImage()(picture)


def test_simcc_visualizer_draws():
    heatmap = torch.rand(17, 64, 48)
    photo = np.full((64, 48, 3), 128, np.uint8)
    drawn = SimCCVisualizer().draw_instance_xy_heatmap(heatmap, photo, n=17)
    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3
    assert np.unique(drawn).size > 50


@pytest.fixture(scope="module")
def estimator():
    torch.manual_seed(0)
    codec = {"type": "MSRAHeatmap", "input_size": (64, 64), "heatmap_size": (16, 16), "sigma": 2}
    head = {
        "type": "HeatmapHead",
        "in_channels": 512,
        "out_channels": 17,
        "deconv_out_channels": (32, 32, 32),
        "loss": {"type": "KeypointMSELoss", "use_target_weight": True},
        "decoder": codec,
    }
    return MODELS.build(
        {
            "type": "TopdownPoseEstimator",
            "backbone": {"type": "ResNet", "depth": 18},
            "head": head,
            "test_cfg": {"flip_test": False},
        }
    )


def test_estimator_has_loss_and_predicts(estimator):
    batch = get_packed_inputs(2, img_shape=(64, 64), input_size=(64, 64), heatmap_size=(16, 16))
    inputs = torch.stack(batch["inputs"]).float()

    loss = estimator.forward(inputs, batch["data_samples"], mode="loss")["loss_kpt"]
    loss.backward()
    assert loss.isfinite()

    estimator.eval()
    predictions = estimator.forward(inputs, batch["data_samples"], mode="predict")
    assert [sample.pred_instances.keypoints.shape for sample in predictions] == [(1, 17, 2)] * 2


def test_visualization_hook_draws_a_picture(tmp_path):
    photo = tmp_path / "photo.png"
    mmcv.imwrite(np.full((80, 80, 3), 200, np.uint8), str(photo))
    sample = PoseDataSample(metainfo={"img_path": str(photo), "ori_shape": (80, 80)})
    sample.pred_instances = InstanceData(
        keypoints=np.array([[[10, 10], [40, 20], [60, 70]]], np.float32),
        keypoint_scores=np.full((1, 3), 0.9, np.float32),
        bboxes=np.array([[5, 5, 70, 75]], np.float32),
    )
    sample.gt_instances = sample.pred_instances.clone()
    meta = {
        "keypoint_colors": np.full((3, 3), [255, 0, 0]),
        "skeleton_links": [(0, 1), (1, 2)],
        "skeleton_link_colors": np.full((2, 3), [0, 255, 0]),
    }
    runner = SimpleNamespace(
        work_dir=str(tmp_path), timestamp="now", test_evaluator=SimpleNamespace(dataset_meta=meta)
    )
    visualizer = {
        "type": "PoseLocalVisualizer",
        "name": "compat",
        "vis_backends": [{"type": "LocalVisBackend"}],
        "save_dir": str(tmp_path),
    }
    VISUALIZERS.build(visualizer)  # the hook takes the current one

    hook = HOOKS.build({"type": "PoseVisualizationHook", "enable": True, "out_dir": "drawn"})
    hook.after_test_iter(runner, 0, {}, [sample])

    drawn = mmcv.imread(str(tmp_path / "now" / "drawn" / "photo_0.png"))
    assert drawn.shape == (80, 80, 3)
    assert (drawn[30:60, 40:65] != 200).any()  # the lower link
