"""JSON and YAML configs do what a Python config does, except run code of whoever wrote them."""

import json
import pickle

import mmengine
import pytest
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.config.load import load_config
from dyrelu_pose.config.safe import DataConfigError
from dyrelu_pose.paths import ROOT
from tests.compat.test_checkpoints import Calls

DEMO = ROOT / "configs/demo/dyrelu_resnet18.py"


pytestmark = pytest.mark.usefixtures("restrictions_end_with_the_test")


def write(folder, name="config.json", **content):
    path = folder / name
    path.write_text(json.dumps(content))  # which is YAML too
    return path


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_dumped_config_builds_the_same_model(tmp_path, suffix):
    cfg = Config.fromfile(DEMO)
    cfg.dump(tmp_path / f"config.{suffix}")
    model = MODELS.build(load_config(tmp_path / f"config.{suffix}").model)
    assert str(model) == str(MODELS.build(cfg.model))


def test_yaml_keeps_tuples(tmp_path):
    Config(dict(size=(1, (2, 3)))).dump(tmp_path / "config.yaml")
    assert load_config(tmp_path / "config.yaml").size == (1, (2, 3))


@pytest.mark.parametrize("base", ["base.yaml", "dyrelu_pose::demo/dyrelu_resnet18.py"])
def test_inherits_from_data_and_from_installed_packages(tmp_path, base):
    Config.fromfile(DEMO).dump(tmp_path / "base.yaml")
    path = write(tmp_path, _base_=base, train_cfg=dict(max_epochs=3))
    cfg = load_config(path)
    assert (cfg.train_cfg.max_epochs, cfg.model.backbone.type) == (3, "ResNet")


def test_a_python_config_may_inherit_from_it(tmp_path):
    write(tmp_path, size=1)
    path = tmp_path / "config.py"
    path.write_text("_base_ = 'config.json'\nsize = 2")
    assert load_config(path).size == 2


FORBIDDEN = {
    "base": (dict(_base_="./evil.py"), "has _base_ ./evil.py, which is a program"),
    "base outside": (dict(_base_="mmpose::../../../evil.py"), "evil.py, which is a program"),
    "import": (dict(custom_imports=dict(imports=["evil"])), "has evil in custom_imports"),
    "import, alone": (dict(custom_imports=dict(imports="evil")), "has evil in custom_imports"),
    "no import": (dict(custom_imports=["evil"]), "imports is no list of modules"),
    "keypoints": (
        dict(data=[dict(metainfo=dict(from_file="evil.py"))]),
        "has from_file=evil.py, which may be a program",
    ),
}


@pytest.mark.parametrize(("content", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_refuses_what_could_run_code(tmp_path, content, message, monkeypatch):
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'it_ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataConfigError, match=message):
        load_config(write(tmp_path, **content))
    assert not (tmp_path / "it_ran").exists()


TYPES = {
    "function": dict(type="os.mkdir", path="it_ran"),
    "module": dict(type="evil"),
    "module of a scope": dict(type="evil_scope.Net"),
    "scope": dict(type="ResNet", depth=18, _scope_="evil_default"),
}


@pytest.mark.parametrize("model", TYPES.values(), ids=TYPES)
def test_type_names_registered_classes_only(tmp_path, model, monkeypatch):
    for name in ("evil", "evil_scope", "evil_default"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "registry.py").touch()
        (tmp_path / name / "__init__.py").write_text(f"open({str(tmp_path / 'it_ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    cfg = load_config(write(tmp_path, model=model))
    if "_scope_" in model:
        MODELS.build(cfg.model)
    else:
        with pytest.raises(KeyError, match=f"{model['type']} is not in the .*registry"):
            MODELS.build(cfg.model)
    assert not (tmp_path / "it_ran").exists()


def test_a_pickle_is_not_read(tmp_path):
    (tmp_path / "boxes.pkl").write_bytes(pickle.dumps(Calls(exec, "raise SystemExit('it ran')")))
    load_config(write(tmp_path, size=1))
    with pytest.raises(DataConfigError, match="names a pickle, which could run any code"):
        mmengine.load(tmp_path / "boxes.pkl")


def test_yaml_tags_do_not_run(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(f"size: !!python/object/apply:os.mkdir [{tmp_path / 'it_ran'}]")
    with pytest.raises(DataConfigError, match="config .*config.yaml is not valid: .*os.mkdir"):
        load_config(path)
    assert not (tmp_path / "it_ran").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", '{"size": ', "is not valid: Expecting value"),
        ("config.yaml", "size: [1", "is not valid: .*expected ',' or ']'"),
        ("config.json", "[1, 2]", "holds no keys and values"),
    ],
)
def test_damage_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataConfigError, match=f"{name} {message}"):
        load_config(tmp_path / name)
