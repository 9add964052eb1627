"""benchmarks/gpu.py: a dry run of every part, and what happens to those that fail."""

import json
import os
import sys
import zipfile

import ahead
import gpu
import pytest
from gpu import Part

from tests.scripts import run


def in_this_environment(command, limit, env):
    """Run a part as tests do, which spares it the imports."""
    return 0, run(*command)


def test_every_part_runs_dry(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "launch", in_this_environment)
    gpu.main(["--out", str(tmp_path), "--dry-run"])
    records = json.loads((tmp_path / "parts.json").read_text())
    outcomes = {record["part"]: record["outcome"] for record in records}
    parts = ("machine", "compile", "op", "model", "steps", "tests")
    assert outcomes == dict.fromkeys(parts, "ok")
    assert [part.name for part in gpu.parts(tmp_path, False)] == [*outcomes]
    for name in ("op_cuda.csv", "model_cuda.csv", "steps_cuda.csv", "machine.json"):
        assert (tmp_path / name).stat().st_size > 100
    assert "passed" in records[-1]["output"][-1]


def parts_of(*bodies):
    return [Part(f"part{i}", 1, ["-c", body]) for i, body in enumerate(bodies)]


def test_a_part_that_fails_or_takes_too_long_stops_no_other(tmp_path, monkeypatch):
    todo = parts_of("1 / 0", "import time; print(8, flush=True); time.sleep(60)", "print(9)")
    todo.insert(0, Part("none", 0.1, ["benchmarks/none.py"]))
    todo[2] = todo[2]._replace(share=0.001)
    monkeypatch.setattr(gpu, "SHORTEST", 0)
    monkeypatch.setattr(gpu, "parts", lambda out, dry_run: todo)
    monkeypatch.setattr(gpu, "missing_packages", lambda env: [])
    with pytest.raises(SystemExit):
        gpu.main(["--out", str(tmp_path)])
    none, first, second, third = json.loads((tmp_path / "parts.json").read_text())
    assert (none["outcome"], none["reason"]) == ("skipped", "there is no benchmarks/none.py")
    assert (first["outcome"], first["reason"]) == ("failed", "exit status 1")
    assert first["output"][-1] == "ZeroDivisionError: division by zero"
    assert second["outcome"] == "failed"
    assert "s were up" in second["reason"]
    assert third["outcome"] == "ok"


def test_parts_that_are_left_out_take_no_time_from_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "parts", lambda out, dry_run: parts_of("1 / 0", "", "1 / 0"))
    monkeypatch.setattr(gpu, "missing_packages", lambda env: [])
    gpu.main(["--out", str(tmp_path), "--minutes", "1", "--only", "part1"])
    assert "part1: up to 60 s" in capsys.readouterr().out
    (record,) = json.loads((tmp_path / "parts.json").read_text())
    assert (record["part"], record["outcome"]) == ("part1", "ok")


def test_no_part_starts_when_the_time_is_up(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "parts", lambda out, dry_run: parts_of("1 / 0"))
    monkeypatch.setattr(gpu, "missing_packages", lambda env: [])
    gpu.main(["--out", str(tmp_path), "--minutes", "0"])
    (record,) = json.loads((tmp_path / "parts.json").read_text())
    assert (record["outcome"], record["reason"]) == ("skipped", "no time was left")


def test_wheels_are_found_by_the_parts(tmp_path, monkeypatch):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with pytest.raises(SystemExit, match="there is no wheel in"):
        gpu.main(["--out", str(tmp_path / "out"), "--wheels", str(wheels)])
    info = "onlyhere-1.0.dist-info"
    with zipfile.ZipFile(wheels / "onlyhere-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("onlyhere.py", "ANSWER = 42\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: onlyhere\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setattr(gpu, "NEEDED", ("onlyhere",))
    body = "import onlyhere; assert onlyhere.ANSWER == 42"
    monkeypatch.setattr(gpu, "parts", lambda out, dry_run: parts_of(body))
    gpu.main(["--out", str(tmp_path / "out"), "--wheels", str(wheels)])
    assert json.loads((tmp_path / "out/parts.json").read_text())[0]["outcome"] == "ok"


def test_what_is_missing_is_named(tmp_path):
    assert gpu.missing_packages(dict(os.environ)) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gpu, "NEEDED", ("json", "no_such_package"))
        with pytest.raises(SystemExit, match=f"need no_such_package, which {sys.executable}"):
            gpu.main(["--out", str(tmp_path)])


def test_a_kernel_that_does_not_compile_is_an_error(monkeypatch, capsys):
    def broken(job, device):
        raise ValueError("no such thing")

    monkeypatch.setattr(ahead, "compile_site", broken)
    with pytest.raises(SystemExit, match="DyReLU-B eager, maps, 2x16x4x3, .*: no such thing"):
        ahead.main(["--device", "cpu", "--tiny", "--jobs", "1"])
    assert "0 of " in capsys.readouterr().out
