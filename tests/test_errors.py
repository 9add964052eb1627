"""How the command-line tools end when something stops them."""

import re
import subprocess
import sys

import pytest

from dyrelu_pose.errors import (
    TRACEBACK,
    UserError,
    article,
    described,
    first_of,
    plural,
    some,
    user_errors,
)
from tests.scripts import DEMO, run


@pytest.fixture(autouse=True)
def without_traceback(monkeypatch):
    monkeypatch.delenv(TRACEBACK, raising=False)


def said(error):
    """What a tool that raises an error ends with."""
    with pytest.raises(SystemExit) as stop, user_errors():
        raise error
    return stop.value.code


def test_counts_and_articles_are_english():
    assert [plural(n, "site") for n in (0, 1, 2)] == ["0 sites", "1 site", "2 sites"]
    assert [plural(n, "entry") for n in (1, 2)] == ["1 entry", "2 entries"]
    assert plural(2, "key") == "2 keys"
    assert [some(names, 2) for names in ("ab", "abc")] == ["a, b", "a, b and 1 more"]
    assert [first_of(problems) for problems in ("a", "abc")] == ["a", "a (and 2 more)"]
    assert [article(noun) for noun in ("dict", "int", "ELU")] == ["a dict", "an int", "an ELU"]


def test_user_error_is_one_line_and_status_1():
    assert said(UserError("config a.py does not exist")) == "error: config a.py does not exist"


def test_user_error_of_a_data_loader_worker_loses_its_traceback():
    worker = (
        "Caught UserError in DataLoader worker process 0.\n"
        "Traceback (most recent call last):\n"
        "dyrelu_pose.errors.UserError: image a.jpg cannot be read"
    )
    assert said(UserError(worker)) == "error: image a.jpg cannot be read"
    worker = worker.replace("dyrelu_pose.errors.UserError: image", "ValueError: image")
    assert said(ValueError(worker)).startswith("error: ValueError: image a.jpg cannot be read; ")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("sizes differ:\n\t 3 and 4\n"), r"RuntimeError: sizes differ: 3 and 4 \(\S+"),
        (KeyError("meta"), r"KeyError: meta \(test_errors.py, line \d+\)"),
        (AssertionError(), r"AssertionError: +\(test_errors.py, line \d+\)"),
        (PermissionError(13, "Permission denied", "/mnt/w"), "/mnt/w: Permission denied"),
        (OSError("no header"), r"OSError: no header \(test_errors.py"),
    ],
)
def test_any_error_is_one_line_that_says_how_to_see_more(error, line):
    message = said(error)
    assert re.match(f"error: {line}", message)
    assert message.count("\n") == 0
    assert message.endswith(f"; with {TRACEBACK}=1 in the environment the traceback is shown")


def test_a_long_message_is_cut():
    try:
        raise ValueError("x" * 1000)
    except ValueError as error:
        assert len(described(error)) < 400


def test_who_debugs_gets_the_traceback(monkeypatch):
    monkeypatch.setenv(TRACEBACK, "1")
    for error in (UserError("text"), ValueError("text")):
        with pytest.raises(type(error)), user_errors():
            raise error


def test_a_reader_that_has_gone_is_no_error():
    code = (
        "from dyrelu_pose.errors import user_errors\n"
        "with user_errors():\n    print('x' * 1_000_000, flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 1


def test_ctrl_c_has_no_traceback_and_status_130(capsys):
    with pytest.raises(SystemExit) as stop, user_errors():
        raise KeyboardInterrupt
    assert stop.value.code == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_work_directory_that_cannot_be_written_is_named(tmp_path, synthetic):
    (tmp_path / "file").touch()
    options = [f"train_dataloader.dataset.data_root={synthetic}/", f"data_root={synthetic}/"]
    log = run("tools/train.py", DEMO, "--work-dir", tmp_path / "file/w", "--no-validate",
              "--cfg-options", *options, expect=1)  # fmt: skip
    assert re.search(r"^error: .*file/w cannot be written to: .*file is a file", log, re.M), log
    assert "Traceback" not in log
