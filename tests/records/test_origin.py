"""A record says how to make it again."""

import subprocess

from dyrelu_pose.paths import ROOT
from dyrelu_pose.records import origin


def test_origin_names_command_versions_and_day(monkeypatch):
    monkeypatch.setattr("sys.argv", [str(ROOT / "tools/test.py"), "a b.py", "--out", "x.json"])
    found = origin.origin("pytest")
    assert found["command"] == "python tools/test.py 'a b.py' --out x.json"
    assert {"python", "torch", "mmpose", "pytest"} <= found["versions"].keys()
    assert len(found["date"]) == len("2026-01-01")
    assert found["device"]


def repository(folder):
    def git(*arguments):
        me = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *me, *arguments], cwd=folder, check=True, capture_output=True)

    git("init")
    for name in ("code.py", "results/a.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "x")


def test_changed_code_makes_the_revision_dirty_and_results_do_not(monkeypatch, tmp_path):
    repository(tmp_path)
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    clean = origin.revision()
    assert len(clean) >= 7
    (tmp_path / "results/a.csv").write_text("2")
    (tmp_path / "new.py").write_text("2")
    assert origin.revision() == clean
    (tmp_path / "code.py").write_text("2")
    assert origin.revision() == f"{clean}-dirty"


def test_no_repository_has_no_revision(monkeypatch, tmp_path):
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    assert origin.revision() == ""
