"""A config that cannot be executed is named, with the line, and with what could not be imported."""

import json
import re
from pathlib import Path

import mmengine.config.config
import pytest

from dyrelu_pose.config.load import load_config
from dyrelu_pose.errors import UserError


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("_base_ = 'parent.py'\nb = _base_.sizes.width", "own.py, line 2: AttributeError: .*width"),
        ("a = 1\nb = undefined", "own.py, line 2: NameError: name 'undefined' is not defined"),
        ("_base_ = 'no_such.py'", "FileNotFoundError: .*no_such.py"),
        ("_base_ = 'mmpose::no/such.py'", "FileNotFoundError: .*no/such.py"),
        (
            "custom_imports = dict(imports=['no_such_module'], allow_failed_imports=False)",
            "ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            "custom_imports = dict(imports=['needs_more'], allow_failed_imports=False)",
            "ModuleNotFoundError: No module named 'no_such_package'",
        ),
    ],
)
def test_what_cannot_be_executed_is_named(tmp_path, monkeypatch, text, reason):
    (tmp_path / "parent.py").write_text("sizes = dict(height=1)")
    (tmp_path / "needs_more.py").write_text("import no_such_package")
    (tmp_path / "own.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    message = f"^config {re.escape(str(tmp_path))}/own.py cannot be executed: .*{reason}"
    with pytest.raises(UserError, match=message):
        load_config(str(tmp_path / "own.py"))


@pytest.mark.parametrize("name", ["own.py", "own.json"])
def test_the_text_of_a_config_is_written_at_once(tmp_path, monkeypatch, name):
    def format_code(*_, **__):
        raise AssertionError("YAPF takes seconds")

    monkeypatch.setattr(mmengine.config.config, "FormatCode", format_code)
    model = dict(type="T", sizes=[1, 2], names={0: "nose"} if name.endswith("py") else None)
    text = f"{model = }" if name.endswith("py") else json.dumps(dict(model=model))
    (tmp_path / name).write_text(text)
    cfg = load_config(str(tmp_path / name))
    (tmp_path / "saved.py").write_text(cfg.pretty_text)
    assert load_config(str(tmp_path / "saved.py")).to_dict() == cfg.to_dict()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("low.py", "a = (1", ": .*never closed .line 1.$"),
        ("low.py", "a = none", " cannot be executed: .*low.py, line 1: NameError"),
        ("low.json", '{"a": ', " is not valid: Expecting value"),
        ("low.json", "[1]", " holds no keys and values"),
    ],
)
def test_of_several_files_the_one_that_is_meant_is_named(tmp_path, name, text, reason):
    (tmp_path / name).write_text(text)
    ending = tmp_path.joinpath(name).suffix
    texts = dict(zip(("top", "middle"), (f"middle{ending}", name), strict=True))
    for above, base in texts.items():
        written = f'{{"_base_": "./{base}"}}' if ending == ".json" else f"_base_ = './{base}'"
        (tmp_path / f"{above}{ending}").write_text(written)
    top = tmp_path / f"top{ending}"
    with pytest.raises(UserError) as error:
        load_config(str(top))
    place = f"^config {tmp_path / name} .which {top} inherits from."
    assert re.search(place + reason, str(error.value), re.DOTALL)


@pytest.mark.parametrize("through", ["a", "b"])
def test_a_config_that_inherits_from_itself_is_named(tmp_path, through, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, base in (("a", through), ("b", "a")):
        Path(f"{name}.py").write_text(
            "from mmengine.config import read_base\n"
            f"with read_base():\n    from .{base} import *  # noqa: F403"
        )
    circle = f"{tmp_path}/a.py from {tmp_path}/{'b.py from ' if through == 'b' else ''}"
    with pytest.raises(UserError, match=f"^config a.py .which inherits from itself: {circle}"):
        load_config("a.py")
