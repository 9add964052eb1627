"""What the pages show runs; the commands that they give name files and flags that exist."""

import re
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS

from dyrelu_pose.__main__ import main, tools
from dyrelu_pose.errors import user_errors
from dyrelu_pose.paths import ROOT

DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "results/README.md", *DOCS]
MAKEFILE = (ROOT / "Makefile").read_text()
NAVIGATION = (ROOT / "mkdocs.yml").read_text()
COMMON = (ROOT / "dyrelu_pose/config/arguments.py").read_text()

FENCED = re.compile(r'^``(\w+)(?: title="(.+?)")?\n(.*?)^``$', re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^ {4}[^\n]+|^``.*?^``$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(
    r"(?:python (?:tools/|benchmarks/|-m )|torchrun |tools/\w+\.sh |make |pip )[^`\n&|#]*"
)


def of(page):
    return str(page.relative_to(ROOT))


def commands(page):
    """The commands in the code of a page."""
    code = "\n".join(CODE.findall(page.read_text().replace("\\\n", " ")))
    return {command.strip() for command in COMMAND.findall(code)}


def pairs():
    return [(of(page), command) for page in PAGES for command in sorted(commands(page))]


# Commands


def test_commands_are_found():
    assert "python tools/train.py configs/dyrelu_hrnet.py" in commands(ROOT / "README.md")
    assert "make docs" in commands(ROOT / "CONTRIBUTING.md")
    assert len(pairs()) > 60


@pytest.mark.parametrize(("page", "command"), pairs())
def test_command_names_what_exists(page, command):
    words = shlex.split(command)
    if words[0] == "torchrun":
        words = ["python", *words[words.index("-m") :]]
    if words[0] == "make":
        assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in words[1:])
    elif words[0] == "pip":
        files = [file for flag, file in zip(words, words[1:], strict=False) if flag == "-r"]
        assert all((ROOT / file).exists() for file in files)
        pins = (ROOT / "requirements/openmmlab.txt").read_text()
        assert all(word in pins for word in words if "==" in word and word.startswith("mm"))
    elif words[0].endswith(".sh"):
        assert (ROOT / words[0]).exists()
    elif words[1] == "-m":
        if words[2] == "dyrelu_pose" and len(words) > 3 and not is_placeholder(words[3]):
            tool = words[3]
            assert tool == "--help" or tool in tools()
            check_arguments(tools().get(tool), words[4:])
    else:
        assert (ROOT / words[1]).is_file()
        check_arguments(ROOT / words[1], words[2:])


def is_placeholder(word):
    return word.isupper()


def check_arguments(tool, arguments):
    known = (tool.read_text() if tool else "") + COMMON
    for word in arguments:
        if word.startswith("--") and word != "--help":
            assert f'"{word.partition("=")[0]}"' in known, word
        elif word.startswith(("configs/", "dyrelu_pose::")):
            assert (ROOT / "configs" / re.sub("^(configs/|dyrelu_pose::)", "", word)).is_file()


# Examples: files that a page titles are written, its Python runs, its `$` commands print what
# it says.


@pytest.mark.parametrize("page", [page for page in PAGES if "```" in page.read_text()], ids=of)
def test_examples_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    namespace = {}
    for language, title, code in FENCED.findall(page.read_text()):
        if title:
            Path(title).write_text(code)
        elif language == "python":
            exec(compile(code, f"example in {of(page)}", "exec"), namespace)
        elif language == "console":
            check_printed(code, capsys)
    for config in tmp_path.glob("*.py"):
        if "_base_" in config.read_text() and "unsplit" not in config.name:
            with DefaultScope.overwrite_default_scope("mmpose"):
                MODELS.build(Config.fromfile(config).model)


def check_printed(session, capsys):
    command, *lines = session.splitlines()
    words = shlex.split(command.removeprefix("$ python -m dyrelu_pose "))
    capsys.readouterr()
    try:
        with user_errors():
            main(words)
    except SystemExit as stop:
        print(stop.code)
    printed = capsys.readouterr().out.splitlines()
    for line in lines:
        assert line in ("", "...") or line in printed, "\n".join(printed)


# Pages


def test_every_config_is_explained():
    text = (ROOT / "docs/reproduce.md").read_text()
    for path in (ROOT / "configs").rglob("*.py"):
        name = path.name if path.parent.name == "baselines" else of(path)
        assert f"`{name}`" in text, path


@pytest.mark.parametrize("page", DOCS, ids=of)
def test_page_is_in_the_navigation(page):
    assert f": {page.relative_to(ROOT / 'docs')}\n" in NAVIGATION


@pytest.mark.parametrize("page", [page for page in DOCS if page.stem != "index"], ids=of)
def test_page_is_in_the_index(page):
    index = ROOT / "docs/index.md"
    assert f"]({page.relative_to(index.parent)})" in index.read_text()


@pytest.mark.parametrize("name", re.findall(r"^  .*: ([\w/-]+\.md)$", NAVIGATION, re.MULTILINE))
def test_navigation_leads_to_a_page(name):
    page = ROOT / "docs" / name
    assert page.is_file() or page.with_suffix(".ipynb").is_file()


@pytest.mark.parametrize("page", PAGES, ids=of)
def test_link_leads_to_a_page(page):
    for target, anchor in re.findall(r"\]\(([\w/.-]+\.md)(?:#([\w-]+))?\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", (page.parent / target).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w ]", "", text).strip().lower().replace(" ", "-")
                   for text in headings}  # fmt: skip
        assert not anchor or anchor in anchors
