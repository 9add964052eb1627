"""Classifiers train and test through MMPretrain, by the tools, from a folder of images."""

import json
import re

import pytest
import torch
from mmengine.registry import DefaultScope

from dyrelu_pose.layers import DyReLU
from dyrelu_pose.paths import ROOT
from tests.class_folders import CLASSES, SIDE
from tests.scripts import run

EPOCHS = 8


def options(*more):
    loaders = [f"{split}_dataloader" for split in ("train", "val", "test")]
    evaluators = [f"{split}_evaluator" for split in ("val", "test")]
    pipelines = [f"{loader}.dataset.pipeline" for loader in loaders]
    return [
        "--cfg-options",
        *(f"{loader}.{entry}" for loader in loaders
          for entry in ("num_workers=0", "persistent_workers=False", "batch_size=32")),
        f"{pipelines[0]}.1.scale={SIDE}", f"{pipelines[0]}.1.crop_ratio_range=(0.6,1.0)",
        *(f"{pipeline}.{entry}={SIDE}" for pipeline in pipelines[1:]
          for entry in ("1.scale", "2.crop_size")),
        *(f"{evaluator}.topk=(1,)" for evaluator in evaluators),
        f"model.head.num_classes={len(CLASSES)}",
        f"train_cfg.max_epochs={EPOCHS}", f"train_cfg.val_interval={EPOCHS}",
        f"param_scheduler.T_max={EPOCHS}",
        "default_hooks.logger.interval=2",
        *more,
    ]  # fmt: skip


@pytest.mark.parametrize("linear", [True, False], ids=["channels last", "channels first"])
def test_convnext_gets_the_width_of_its_blocks(linear):
    from dyrelu_pose.models.classifier import DyReLUClassifier

    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = DyReLUClassifier(
            input_size=(640, 640),  # 160 cells high and wide, as many as the first blocks are wide
            dyrelu=[dict(sites="backbone.*", act=dict(type="DyReLUB"))],
            backbone=dict(type="ConvNeXt", arch="atto", linear_pw_conv=linear),
        )
    layers = [module for module in model.modules() if isinstance(module, DyReLU)]
    assert [layer.channels for layer in layers] == [160] * 2 + [320] * 2 + [640] * 6 + [1280] * 2
    assert all(layer.channels_last == linear for layer in layers)
    model(torch.zeros(1, 3, 96, 64))


def test_learns_drawn_classes(image_folder, tmp_path):
    path = "configs/imagenet/dyrelu_mobilenetv2-x035.py"
    data = dict(IMAGENET=str(image_folder))
    size = f"model.input_size=({SIDE},{SIDE})"
    log = run("tools/train.py", path, "--work-dir", tmp_path, *options(size), **data)
    assert re.search(rf"Epoch\(val\) +\[{EPOCHS}\].*accuracy/top1", log)
    run(
        "tools/test.py", path, tmp_path / f"epoch_{EPOCHS}.pth", "--work-dir", tmp_path,
        "--out", tmp_path / "metrics.json", *options(size), **data,
    )  # fmt: skip
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["accuracy/top1"] > 60  # chance is 25


def test_backbone_starts_a_pose_model(tmp_path):
    """Its weights are named as MMPose names them, below `backbone.`."""
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    cfg = Config.fromfile(ROOT / "configs/imagenet/dyrelu_mobilenetv2.py")
    from mmpose.registry import MODELS

    with DefaultScope.overwrite_default_scope("mmpretrain"):
        classifier = MODELS.build(cfg.model)
    torch.save({"state_dict": classifier.state_dict()}, tmp_path / "classifier.pth")
    cfg = Config.fromfile(ROOT / "configs/dyrelu_mobilenetv2.py")
    cfg.model.backbone.init_cfg = dict(
        type="Pretrained", checkpoint=str(tmp_path / "classifier.pth"), prefix="backbone."
    )
    estimator = MODELS.build(cfg.model)
    estimator.init_weights()
    ours, theirs = estimator.backbone.state_dict(), classifier.backbone.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_twins_differ_in_the_placement_alone():
    from mmengine.config import Config

    for name in ("mobilenetv2", "mobilenetv2-x035"):
        ours, twin = (
            Config.fromfile(ROOT / f"configs/imagenet/{prefix}{name}.py")
            for prefix in ("dyrelu_", "")
        )
        assert len(ours.model.pop("dyrelu")) == 1
        assert ours.model.pop("input_size") == (224, 224)
        ours.model.type = "ImageClassifier"
        assert ours.to_dict() == twin.to_dict()
