"""What a config names is looked for before anything is built, wherever the config names it."""

import json

import pytest
from mmengine.config import Config

from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.files import MissingFilesError, check_files
from dyrelu_pose.errors import UserError

PERSON = dict(id=1, image_id=1, keypoints=[1, 1, 2] * 17)


@pytest.fixture
def cfg(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "people.json").write_text(json.dumps(dict(images=[], annotations=[PERSON])))
    dataset = dict(
        data_root=f"{tmp_path}/", ann_file="people.json", data_prefix=dict(img="images/")
    )
    return Config(
        dict(
            train_dataloader=dict(dataset=dataset),
            val_dataloader=dict(dataset=dataset),
            val_evaluator=dict(ann_file=f"{tmp_path}/people.json"),
            model=dict(backbone=dict(init_cfg=None)),
        )
    )


def test_accepts_what_is_there(cfg):
    check_files(cfg, ["train", "val"])


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("train_dataloader.dataset.ann_file", "no.json", r"no.json  \(train_dataloader.dataset"),
        ("train_dataloader.dataset.data_prefix.img", "no/", r"no/  \(.*data_prefix.img"),
        ("val_dataloader.dataset.bbox_file", "no_boxes.json", r"no_boxes.json  \(val_dataloader"),
        ("val_evaluator.ann_file", "no_truth.json", r"no_truth.json  \(val_evaluator.ann_file"),
        (
            "val_evaluator",
            dict(metrics=[dict(ann_file="no.json")]),
            r"\(val_evaluator.metrics.0.an",
        ),
        ("load_from", "no.pth", r"no.pth  \(load_from"),
    ],
)
def test_names_the_path_and_the_key(cfg, key, value, named):
    cfg.merge_from_dict({key: value})
    with pytest.raises(MissingFilesError, match=named):
        check_files(cfg, ["train", "val"])


def test_names_weights_and_looks_into_combined_sets(cfg):
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint="no_weights.pth")
    part = dict(cfg.train_dataloader.dataset, ann_file="no_part.json")
    cfg.train_dataloader.dataset = dict(type="CombinedDataset", datasets=[part])
    with pytest.raises(MissingFilesError) as error:
        check_files(cfg, ["train"])
    assert "no_weights.pth  (model.backbone.init_cfg.checkpoint)" in str(error.value)
    assert "no_part.json  (train_dataloader.dataset.datasets.0.ann_file)" in str(error.value)
    assert str(error.value).endswith(" data set of your own, run in a checkout: make demo")
    cfg.train_dataloader = None
    with pytest.raises(MissingFilesError, match=r"no_weights.pth  \(model.*checkpoint\)$"):
        check_files(cfg, ["train"])


def test_leaves_urls_and_other_splits_alone(cfg):
    url = "https://example.org/weights.pth"
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=url)
    cfg.val_evaluator.ann_file = "no.json"
    check_files(cfg, ["train"])


def test_says_what_torchvision_weights_need(cfg, monkeypatch):
    monkeypatch.setattr("dyrelu_pose.config.files.find_spec", lambda name: None)
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint="torchvision://resnet50")
    with pytest.raises(MissingFilesError, match="model.backbone.init_cfg.*torchvision, which is"):
        check_files(cfg, ["train"])


def test_tensorboard_backend_without_tensorboard(cfg, monkeypatch):
    cfg.visualizer = dict(vis_backends=[dict(type="TensorboardVisBackend")])
    monkeypatch.setattr("dyrelu_pose.engine.tensorboard.find_spec", lambda name: None)
    with pytest.raises(UserError, match="vis_backends needs the package tensorboard"):
        check_files(cfg, ["train"])


@pytest.mark.parametrize(
    ("kind", "package"), [("WandbVisBackend", "wandb"), ("MLflowVisBackend", "mlflow")]
)
def test_other_backends_without_their_packages(cfg, kind, package, monkeypatch):
    backends = [dict(type="LocalVisBackend"), dict(type=kind)]
    cfg.visualizer = dict(vis_backends=backends)
    monkeypatch.setattr("dyrelu_pose.config.files.find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"^{kind} in visualizer.vis_backends .* {package}, which"):
        check_files(cfg, ["train"])
    monkeypatch.setattr("dyrelu_pose.config.files.find_spec", lambda name: name)
    check_files(cfg, ["train"])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model", 7, "model of the config is 7"),
        ("model.backbone", "text", "model.backbone of the config is 'text'"),
        ("train_dataloader", [1], "train_dataloader of the config is"),
        ("train_dataloader.dataset", None, "train_dataloader.dataset of the config is None"),
        ("train_dataloader.dataset.ann_file", [1], "train_dataloader.dataset.ann_file .*has to be"),
        ("train_dataloader.dataset.data_prefix.img", 7, r"data_prefix\.img of the config is 7"),
        ("val_evaluator", ["text"], "val_evaluator.0 of the config is 'text'"),
    ],
)
def test_names_the_key_of_what_has_another_type(cfg, key, value, message):
    cfg.merge_from_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        check_files(cfg, ["train", "val"])


def test_a_part_may_be_none(cfg):
    cfg.model.update(neck=None, head=None)
    cfg.visualizer = None
    check_files(cfg, ["train", "val"])
