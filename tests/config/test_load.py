"""A config that cannot be executed is named, with the line, and with what could not be imported."""

import json
import re

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
