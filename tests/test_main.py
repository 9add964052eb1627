"""`python -m dyrelu_pose`, and configs by name."""

import shlex
from pathlib import Path

import pytest
from mmengine.config import Config

from dyrelu_pose import __main__ as command
from dyrelu_pose.compat import installed
from dyrelu_pose.compat.stand_ins import MissingPackageError
from dyrelu_pose.config.names import config_path
from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import CONFIGS, TOOLS
from dyrelu_pose.records import origin

DEMO = "demo/dyrelu_resnet18.py"


def test_help_says_what_each_tool_does(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "\n  list-sites           List the activation sites of a config\n" in printed
    for name, path in command.tools().items():
        summary = command.summary(path)
        assert len(summary) > 10
        assert "`" not in summary
        assert f"  {name} " in printed
        assert summary in printed


def test_tools_are_the_files_of_the_folder():
    assert {path.stem for path in TOOLS.glob("*.py")} == {
        name.replace("-", "_") for name in command.tools()
    }


@pytest.mark.parametrize("name", ["say-hello", "say_hello", "say_hello.py"])
def test_tool_runs_as_a_script_with_its_arguments(name, tmp_path, monkeypatch, capsys):
    (tmp_path / "beside.py").write_text("GREETING = 'hello'")
    (tmp_path / "say_hello.py").write_text(
        "import sys\nfrom beside import GREETING\n"
        "if __name__ == '__main__':\n    print(GREETING, *sys.argv)"
    )
    monkeypatch.setattr(command, "TOOLS", tmp_path)
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("sys.argv", [])
    command.main([name, f"dyrelu_pose::{DEMO}", "--help", "--flag=1"])
    tool = tmp_path / "say_hello.py"
    assert capsys.readouterr().out.split() == [
        *("hello", str(tool), str(CONFIGS / DEMO), "--help", "--flag=1")
    ]


def test_unknown_tool_names_the_near_miss():
    with pytest.raises(UserError, match="no tool list_site; did you mean list-sites?"):
        command.main(["list_site", "config.py"])
    with pytest.raises(UserError, match="no tool 0; there are ablate, .*, train,"):
        command.main(["0"])


def test_config_of_the_checkout_is_found_elsewhere_unless_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.argument(f"configs/{DEMO}") == str(CONFIGS / DEMO)
    assert command.argument("configs/none.py") == "configs/none.py"
    assert command.argument("tools/train.py") == "tools/train.py"
    own = Path("configs", DEMO)
    own.parent.mkdir(parents=True)
    own.touch()
    assert command.argument(f"configs/{DEMO}") == f"configs/{DEMO}"


def test_unknown_config_names_the_near_miss():
    assert config_path(f"dyrelu_pose::{DEMO}") == CONFIGS / DEMO
    with pytest.raises(UserError, match="did you mean .*dyrelu_pose::demo/dyrelu_resnet18.py"):
        config_path("dyrelu_pose::demo/dyrelu_resnet.py")
    for unlike in ("0", "_base_/topdwon.py"):  # that is a part of configs, and not offered
        with pytest.raises(UserError, match="they are those in .*configs"):
            config_path(f"dyrelu_pose::{unlike}")


def test_config_inherits_by_name(tmp_path):
    config = tmp_path / "own.py"
    config.write_text(f"_base_ = ['dyrelu_pose::{DEMO}']\nepochs = 1\ncodec = _base_.codec")
    cfg, base = Config.fromfile(config), Config.fromfile(CONFIGS / DEMO)
    assert cfg.pop("epochs") == 1
    base.pop("epochs")
    assert cfg.to_dict() == base.to_dict()


def test_missing_openmmlab_packages_come_with_the_command(monkeypatch):
    monkeypatch.setattr(installed, "find_spec", lambda name: None if name != "mmcv" else name)
    with pytest.raises(MissingPackageError, match="needs mmengine, mmpose, ") as error:
        installed.check_installed()
    *command, file = shlex.split(str(error.value).partition(": ")[2])
    assert command == ["pip", "install", "--no-deps", "-r"]
    pins = Path(file).read_text()
    assert all(f"\n{name}==" in pins for name in ("mmengine", "mmcv-lite", "mmpose"))


def test_revision_of_a_wheel_is_its_version(tmp_path, monkeypatch):
    monkeypatch.setattr(origin, "IN_WHEEL", tmp_path)
    assert origin.revision() == origin.version("dyrelu_pose")
