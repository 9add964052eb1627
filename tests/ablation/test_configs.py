"""From a cell to its full config, and the hash that tells two configs apart."""

import pytest
from mmengine.config import Config

from dyrelu_pose.ablation.configs import data_name, digest, portable, resolve
from dyrelu_pose.ablation.grid import Cell, GridError

from .conftest import DEMO, ROOT

B = [dict(sites="backbone.*", act=dict(type="DyReLUB"))]


def cell(**entries):
    return Cell("c", entries.pop("config", DEMO), **entries)


def test_rules_turn_a_plain_config_into_a_dyrelu_one():
    model = resolve(cell(dyrelu=B), 3).model
    assert (model.type, model.estimator) == ("DyReLUPoseEstimator", "TopdownPoseEstimator")
    assert model.input_size == (64, 128)
    assert model.dyrelu == B


def test_rules_replace_those_of_a_dyrelu_config():
    config = ROOT / "configs/demo/dyrelu_resnet18.py"
    assert resolve(cell(config=config, dyrelu=B), 0).model.dyrelu == B
    assert resolve(cell(config=config, dyrelu=[]), 0).model.dyrelu == []
    assert len(resolve(cell(config=config), 0).model.dyrelu) == 2  # kept


def test_no_rules_leave_the_model_as_it_is():
    assert resolve(cell(dyrelu=[]), 0).model == Config.fromfile(DEMO).model


def test_the_command_line_wins_over_the_cell_and_the_seed_over_both():
    options = {"train_cfg.max_epochs": 2, "randomness.seed": 9, "randomness.deterministic": True}
    cfg = resolve(cell(options=options), 7, {"train_cfg.max_epochs": 1})
    assert cfg.train_cfg.max_epochs == 1
    assert cfg.randomness == dict(seed=7, deterministic=True)


def test_the_test_set_is_the_validation_set():
    cfg = resolve(cell(options={"val_dataloader.dataset.ann_file": "other.json"}), 0)
    assert cfg.test_dataloader.dataset.ann_file == "other.json"


def test_cells_do_not_change_each_other():
    resolve(cell(options={"model.backbone.depth": 50}, dyrelu=B), 0)
    assert resolve(cell(), 0).model == Config.fromfile(DEMO).model


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("trian_cfg.max_epochs", "changes nothing: .*did you mean train_cfg.max_epochs"),
        ("trian_cfg", "changes nothing: .*did you mean train_cfg"),
        ("epochs.more.levels", "does not fit the config"),
        ("model.backbon.depth", "names nothing in .*resnet18.py"),
        ("param_scheduler.2.end", "names nothing in .*resnet18.py"),
    ],
)
def test_an_option_that_names_nothing_is_an_error(key, message):
    with pytest.raises(GridError, match=f"cell c: option {key} {message}"):
        resolve(cell(options={key: 1}), 0)


def test_an_option_of_a_variable_is_followed():
    cfg = resolve(cell(options={"epochs": 7}), 0, {"codec.sigma": 3})
    assert (cfg.train_cfg.max_epochs, cfg.model.head.decoder.sigma) == (7, 3)


def test_a_last_part_may_be_new():
    assert resolve(cell(options={"model.backbone.style": "caffe"}), 0).model.backbone.style


def test_no_validation_is_an_error(tmp_path):
    (tmp_path / "own.py").write_text("model = dict(type='T')\ntrain_cfg = dict(max_epochs=1)")
    with pytest.raises(GridError, match="own.py has no val_dataloader"):
        resolve(cell(config=tmp_path / "own.py"), 0)


def test_digest_is_of_the_content():
    same = digest(resolve(cell(dyrelu=B), 0))
    assert digest(resolve(cell(dyrelu=[dict(reversed(B[0].items()))]), 0)) == same
    others = [
        resolve(cell(dyrelu=B), 1),
        resolve(cell(), 0),
        resolve(cell(dyrelu=B), 0, {"epochs": 9}),
    ]
    assert len({same, *map(digest, others)}) == 4


def test_digest_and_text_do_not_depend_on_where_the_data_are(monkeypatch):
    def of(folder):
        monkeypatch.setenv("DYRELU_DATA", folder)
        root = {"val_dataloader.dataset.data_root": f"{folder}/coco_mini/"}
        cfg = resolve(cell(options=root), 0)
        return digest(cfg), portable(cfg.pretty_text)

    assert of("/here/data") == of("/else/where")
    assert "DATA:data}}_" not in of("data")[1]  # data_root, data_prefix keep their names
    assert "{{$DYRELU_DATA:data}}/coco_mini/" in of("/here/data")[1]


@pytest.mark.parametrize(
    ("root", "name"),
    [("data/coco/", "COCO"), ("/x/coco_mini", "COCO-mini"), ("data/synthetic/", "synthetic")],
)
def test_data_is_named_after_its_folder(root, name):
    assert data_name(resolve(cell(options={"val_dataloader.dataset.data_root": root}), 0)) == name
