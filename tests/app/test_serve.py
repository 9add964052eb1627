"""What `python -m dyrelu_pose app` needs and refuses, without a page."""

import os
from importlib.metadata import PackageNotFoundError

import pytest

from dyrelu_pose.app import serve
from dyrelu_pose.errors import UserError
from tests.scripts import load, run


@pytest.mark.parametrize(("found", "message"), [(None, "optional"), ("5.50.0", "Gradio 5.50.0")])
def test_what_to_install_is_said_before_a_model_is_loaded(found, message, monkeypatch):
    def version(name):
        assert name == "gradio"
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(serve, "version", version)
    with pytest.raises(UserError, match=message) as raised:
        load("tools/app.py").main(["--detector", "none.onnx"])
    assert 'pip install "gradio>=6.31,<7"' in str(raised.value)


def test_nothing_is_imported_before_it_is_needed():
    check = "import sys, dyrelu_pose, dyrelu_pose.app.serve; sys.exit('gradio' in sys.modules)"
    run("-c", check)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback(host, expected):
    assert serve.is_loopback(host) is expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-upload", "0"),
        ("--port", "0"),
        ("--port", "70000"),
        ("--bbox-thr", "2"),
        ("--config", "a.py"),
        ("--checkpoint", "a.pth"),
        ("--twin", "a.py"),
        ("--bbox-thr", "0.5"),
    ],
)
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        load("tools/app.py").parse_args(arguments)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_folder_of_the_page_is_removed(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("GRADIO_TEMP_DIR", "before")
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    with pytest.raises(KeyboardInterrupt), serve.own_folder():
        (folder,) = tmp_path.iterdir()
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        (folder / "picture.png").touch()
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    assert os.environ["GRADIO_TEMP_DIR"] == "before"
    assert "GRADIO_ANALYTICS_ENABLED" not in os.environ
