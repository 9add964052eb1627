"""No checkpoint runs the code that its pickle asks for, and nothing asks the network."""

import ast
import os
import runpy
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from torch import nn

from dyrelu_pose.compat.checkpoints import CheckpointError
from dyrelu_pose.engine import latest_checkpoint
from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.paths import ROOT

from .compat.test_checkpoints import Calls
from .scripts import run

DEMO = ROOT / "configs/demo/dyrelu_resnet18.py"


@pytest.fixture(scope="module", autouse=True)
def scope_of_the_process():
    """Takes back the default scope that a Runner leaves behind."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)


@pytest.fixture
def flag(tmp_path):
    """The folder that the pickle would make."""
    return tmp_path / "it_ran"


@pytest.fixture
def foreign(tmp_path, flag):
    """A checkpoint whose pickle makes that folder."""
    path = tmp_path / "foreign.pth"
    torch.save({"state_dict": {}, "optimizer": Calls(os.mkdir, str(flag))}, path)
    return path


@pytest.fixture
def tool(tmp_path, people, monkeypatch):
    """Return a function that runs a tool on the demo's config and drawn people, in here."""

    def run(name, *arguments, options=()):
        cfg = Config.fromfile(DEMO)
        for split in ("train", "val", "test"):
            loader = cfg[f"{split}_dataloader"]
            loader.update(num_workers=0, persistent_workers=False, batch_size=2)
            loader.dataset.data_root = f"{people}/"
        cfg.val_evaluator.ann_file = f"{people}/annotations/person_keypoints_val.json"
        cfg.test_evaluator = cfg.val_evaluator
        cfg.merge_from_dict(dict(options))
        cfg.work_dir, cfg.log_level = str(tmp_path / "work"), "ERROR"
        config = tmp_path / "config.json"
        cfg.dump(config)
        argv = [name, *(str(config if a is Config else a) for a in arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        for slow in ("_log_env", "dump_config"):
            monkeypatch.setattr(Runner, slow, lambda *args: None)
        runpy.run_path(str(ROOT / f"tools/{name}.py"))["main"]()

    return run


WAYS = {
    "train, load_from": lambda tool, path: tool("train", Config, options={"load_from": str(path)}),
    "train, init_cfg": lambda tool, path: tool(
        "train",
        Config,
        options={"model.backbone.init_cfg": dict(type="Pretrained", checkpoint=str(path))},
    ),
    "train, resume": lambda tool, path: tool("train", Config, "--resume", path),
    "test": lambda tool, path: tool("test", Config, path),
    "publish_model": lambda tool, path: tool("publish_model", path, path.with_name("out.pth")),
    "visualize_dyrelu": lambda tool, path: tool("visualize_dyrelu", Config, path),
    "inference": lambda tool, path: PoseInferencer(DEMO, path, device="cpu"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_way_in_runs_the_pickle(way, tool, foreign, flag):
    with pytest.raises(CheckpointError, match="foreign.pth is refused: it asks for posix.mkdir"):
        way(tool, foreign)
    assert not flag.exists()


def test_resume_does_not_run_the_config_in_a_checkpoint(tool, tmp_path, flag):
    tool("train", Config, "--no-validate", options={"train_cfg.max_epochs": 1})
    path = tmp_path / "work/epoch_1.pth"
    checkpoint = load_checkpoint(nn.Linear(1, 1), str(path))
    checkpoint["meta"]["config"] = f"__import__('os').mkdir({str(flag)!r})\n"
    torch.save(checkpoint, path)
    tool("train", Config, "--no-validate", "--resume", path, options={"train_cfg.max_epochs": 2})
    assert (tmp_path / "work/epoch_2.pth").exists()
    assert not flag.exists()


def test_looking_for_the_latest_checkpoint_does_not_run_it(tmp_path, foreign, flag, capsys):
    assert latest_checkpoint(tmp_path) is None
    assert "passed over: checkpoint" in capsys.readouterr().out
    assert not flag.exists()


def test_a_download_does_not_run_it(tmp_path, foreign, flag, monkeypatch):
    """Torch loads its own downloads with weights_only=False."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    downloaded = tmp_path / "hub/checkpoints/foreign.pth"
    downloaded.parent.mkdir(parents=True)
    foreign.rename(downloaded)
    with pytest.raises(CheckpointError, match="https://host/foreign.pth is refused"):
        load_checkpoint(nn.Linear(1, 1), "https://host/foreign.pth")
    assert not flag.exists()


def test_the_environment_cannot_turn_it_off(foreign, flag, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(CheckpointError, match="is refused"):
        load_checkpoint(nn.Linear(1, 1), str(foreign))
    assert not flag.exists()
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


SOURCES = [path for name in ("dyrelu_pose", "tools", "benchmarks") for path in
           sorted((ROOT / name).rglob("*.py"))]  # fmt: skip


def test_nothing_here_loads_a_pickle_in_any_other_way():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert options.get("weights_only") == "True", f"{path}:{node.lineno}"
            if isinstance(node, ast.Attribute):
                assert ast.unparse(node) not in ("pickle.load", "pickle.loads"), path


# The first look-up of a name, connection or packet ends the process.
OFFLINE = """
import os, runpy, sys

def hook(event, arguments):
    local = event == "socket.connect" and isinstance(arguments[1], str | bytes)  # to this machine
    if event.startswith(("socket.get", "socket.send", "socket.connect")) and not local:
        print("asked the network:", event, arguments, file=sys.stderr, flush=True)
        os._exit(1)

sys.addaudithook(hook)
train, test, config, folder = sys.argv[1:]
sys.argv = [train, config, "--work-dir", folder]
runpy.run_path(train, run_name="__main__")
sys.argv = [test, config, folder + "/epoch_1.pth", "--work-dir", folder]
runpy.run_path(test, run_name="__main__")
"""


def test_import_train_and_test_stay_off_the_network(tmp_path, people):
    annotations = f"{people}/annotations/person_keypoints_val.json"
    loaders = dict(num_workers=0, persistent_workers=False, batch_size=1)
    lines = ["_base_ = 'dyrelu_pose::demo/dyrelu_resnet18.py'"]
    for split in ("train", "val", "test"):
        loader = dict(**loaders, dataset=dict(data_root=f"{people}/"))
        lines.append(f"{split}_dataloader = {loader}")
    lines.append(f"val_evaluator = test_evaluator = dict(ann_file={annotations!r})")
    lines.append("train_cfg = dict(max_epochs=1, val_interval=1)")
    lines.append("default_hooks = dict(checkpoint=dict(interval=1))")
    (tmp_path / "config.py").write_text("\n".join(lines))
    tools = [ROOT / "tools/train.py", ROOT / "tools/test.py"]
    command = ("-c", OFFLINE, *tools, tmp_path / "config.py", tmp_path / "run")
    assert run(*command, cwd=tmp_path).count("coco/AP: ") == 2  # of the training and of the test
