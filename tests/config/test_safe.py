"""JSON and YAML configs do what a Python config does, except run code of whoever wrote them."""

import json
import pickle
import sys

import mmengine
import pytest
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.config.forbidden import check
from dyrelu_pose.config.load import load_config
from dyrelu_pose.config.safe import DataConfigError
from dyrelu_pose.paths import ROOT

DEMO = ROOT / "configs/demo/dyrelu_resnet18.py"


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
    "base by a variable": (dict(_base_="{{ fileDirname }}/evil.py"), "which is a program"),
    "import": (dict(custom_imports=dict(imports=["evil"])), "has evil in custom_imports"),
    "import, alone": (dict(custom_imports=dict(imports="evil")), "has evil in custom_imports"),
    "no import": (dict(custom_imports=["evil"]), "imports is not a list of modules"),
    "keypoints": (
        dict(data=[dict(metainfo=dict(from_file="evil.py"))]),
        "has data.metainfo.from_file=evil.py, a program, perhaps",
    ),
    "function": (dict(model=dict(type="os.mkdir", name="it_ran")), "model.type=os.mkdir, which is"),
    "function, deep": (
        dict(hooks=[[dict(part=dict(type="os.mkdir", name="it_ran"))]]),
        "hooks.part.type=os.mkdir, which is imported",
    ),
    "function of an allowed package": (
        dict(model=dict(type="mmengine.utils.path.os.mkdir", name="it_ran")),
        "model.type=mmengine.utils.path.os.mkdir, which is imported",
    ),
    "function of an allowed package, by its own name": (
        dict(model=dict(type="mmengine.mkdir_or_exist", dir_name="it_ran")),
        "model.type=mmengine.mkdir_or_exist, which is imported",
    ),
    "function, by another key": (
        dict(optim_wrapper=dict(constructor="os.mkdir")),
        "optim_wrapper.constructor=os.mkdir, which is imported",
    ),
    "function, by any key": (dict(hook=dict(policy="os.mkdir")), "hook.policy=os.mkdir, which is"),
    "function, over a base": (
        dict(
            _base_="dyrelu_pose::demo/dyrelu_resnet18.py",
            model=dict(_delete_=True, type="os.mkdir", name="it_ran"),
        ),
        "model.type=os.mkdir, which is imported",
    ),
    "function, by a variable": (
        dict(model=dict(type="{{ $NOT_SET:os.mkdir }}", name="it_ran")),
        "model.type=os.mkdir, which is imported",
    ),
    "module": (dict(model=dict(type="evil")), "model.type=evil, which is imported"),
    "module, by another key": (dict(runner_type="evil"), "runner_type=evil, which is imported"),
    "module of a folder": (dict(model=dict(type="folder.evil")), "type=folder.evil, which is"),
    "module of a scope": (dict(model=dict(type="evil_scope.Net")), "type=evil_scope.Net, which"),
    "module of a scope, a folder": (dict(model=dict(type="scoped.Net")), "type=scoped.Net, which"),
    "scope": (
        dict(model=dict(type="ResNet", depth=18, _scope_="evil_scope")),
        "model._scope_=evil_scope, a package that is not among dyrelu_pose, mmcv,",
    ),
    "scope of all": (dict(default_scope="scoped"), "default_scope=scoped, a package that"),
    "expression": (
        dict(nms_cfg=dict(type="__import__('os').mkdir('it_ran')")),
        "nms_cfg.type=.*, an expression, not a name",
    ),
    "expression in a data type": (
        dict(dtype="float32 if not __import__('os').mkdir('it_ran') else 0"),
        "dtype=.*, an expression, not a name",
    ),
    "class that evaluates": (
        dict(custom_hooks=[dict(type="mmengine.RFSearchHook", mode="search")]),
        "type=mmengine.RFSearchHook, a class that runs what its arguments say",
    ),
    "class that reads a config": (
        dict(model=dict(type="DWPoseDistiller", teacher_cfg="evil.py")),
        "type=DWPoseDistiller, a class that runs what its arguments say",
    ),
    "pickle of annotations": (
        dict(train_dataloader=dict(dataset=dict(ann_file="a/b.pkl"))),
        "train_dataloader.dataset.ann_file=a/b.pkl, a pickle",
    ),
    "pickle of boxes": (dict(data=[dict(bbox_file="boxes.pickle")]), "boxes.pickle, a pickle"),
    "pickle of another name": (dict(file="boxes", file_format="pkl"), "file_format=pkl, a pickle"),
    "file backend that imports": (
        dict(backend_args=dict(backend="memcached", sys_path="folder")),
        "backend_args.sys_path, which lets other code in",
    ),
    "code from a model zoo": (
        dict(model=dict(type="HFModel", trust_remote_code=True)),
        "model.trust_remote_code, which lets other code in",
    ),
    "compiler": (
        dict(compile=dict(options={"cpp.cxx": ["./evil.sh"]})),
        "has compile.options, which may name the compiler",
    ),
}


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """Modules in a folder to import from, which say so when they run; return that folder."""
    folders = ("evil_scope", "folder", "scoped")
    for name in (
        "evil",
        "evil_scope/__init__",
        "evil_scope/registry",
        "folder/evil",
        "scoped/registry",
    ):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(tmp_path / 'it_ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in folders]:
        del sys.modules[name]  # also a folder counts as a module once it has been looked into


@pytest.mark.parametrize(("content", "message"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_refuses_what_could_run_code(content, message, evil):
    with pytest.raises(DataConfigError, match=message):
        load_config(write(evil, **content))
    assert not (evil / "it_ran").exists()


def test_refuses_a_function_of_the_script_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as of a script
    with pytest.raises(DataConfigError, match="type=__main__.main, which is imported"):
        load_config(write(tmp_path, model=dict(type="__main__.main")))


def test_a_scope_that_is_not_installed_is_left_to_the_registries(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmpretrain", None)
    load_config(write(tmp_path, model=dict(type="mmpretrain.VisionTransformer")))


def test_names_that_are_nowhere_are_left_to_the_registries(evil):
    cfg = load_config(write(evil, model=dict(type="Unknown"), data=dict(file="folder.json")))
    with pytest.raises(KeyError, match="Unknown is not in the mmpose::model registry"):
        MODELS.build(cfg.model)


HARMLESS = (
    dict(model=dict(type="mmpose.ResNet", depth=18, _scope_="mmpose")),
    dict(ann_file="annotations/test.json", out_file_path="predictions.pkl"),
    dict(ann_file="test.json", data_root="data/", split="os"),
    dict(dyrelu=[dict(sites="backbone.*")], type="upper", sites="backbone.layer1.0.relu1"),
    dict(init_cfg=dict(type="Pretrained", checkpoint="https://host.org/a.b.pth"), dtype="float16"),
    dict(compile=dict(mode="default")),
)


@pytest.mark.parametrize("content", HARMLESS, ids=lambda content: next(iter(content)))
def test_leaves_alone_what_cannot(tmp_path, content):
    assert load_config(write(tmp_path, **content)).to_dict() == content


@pytest.mark.parametrize(
    "name",
    ["dyrelu_hrnet", "coco_mini/dyrelu_mobilenetv2_128x96", "imagenet/dyrelu_mobilenetv2"],
)
def test_what_ships_would_be_allowed_as_data(name):
    path = ROOT / f"configs/{name}.py"
    check(Config.fromfile(path, import_custom_modules=False).to_dict(), path)


def test_a_python_config_keeps_its_freedom_beside_it(evil):
    (evil / "own.py").write_text("class Net:\n    pass")
    (evil / "boxes.pkl").write_bytes(pickle.dumps([1]))
    (evil / "config.py").write_text("model = dict(type='own.Net')")
    load_config(write(evil, model=dict(type="ResNet", depth=18), default_scope="mmpose"))
    built = MODELS.build(load_config(evil / "config.py").model)
    assert type(built).__name__ == "Net"
    assert mmengine.load(evil / "boxes.pkl") == [1]


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
