"""Records are read back as they were written, and never half."""

import json
import os

import pytest

from dyrelu_pose.records.files import (
    DiskFullError,
    cells,
    check_output_file,
    read_csv,
    write_atomically,
    write_csv,
    write_json,
    write_text,
)


def test_csv_comes_back_in_its_order(tmp_path):
    path = tmp_path / "new" / "table.csv"
    rows = [dict(name="ä, b", ap=12.5), dict(name="c", note="one\ntwo")]
    write_csv(path, rows)
    assert path.read_text(encoding="utf-8").splitlines()[0] == "name,ap,note"
    assert read_csv(path) == [
        dict(name="ä, b", ap="12.5", note=""),
        dict(name="c", ap="", note="one\ntwo"),
    ]


def test_csv_keeps_versions_in_one_cell(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, [dict(a=1, versions=dict(torch="2.13.0", numpy="2.3"))], ["versions", "a"])
    assert path.read_text() == 'versions,a\n"torch 2.13.0, numpy 2.3",1\n'


def test_cells_are_what_is_read_back(tmp_path):
    path = tmp_path / "table.csv"
    row = dict(ap=1 / 3, params=123456, note=None, versions=dict(torch="2.13.0"))
    text = cells(row, figures=4)
    assert text == dict(ap="0.3333", params="123456", note="", versions="torch 2.13.0")
    write_csv(path, [text])
    assert read_csv(path) == [text]


def test_no_file_has_no_rows(tmp_path):
    assert read_csv(tmp_path / "none.csv") == []


def test_json_ends_with_a_newline(tmp_path):
    path = tmp_path / "new" / "record.json"
    write_json(path, dict(ap=0.5, curve=[1, 2]))
    assert path.read_text().endswith("}\n")
    assert json.loads(path.read_text()) == dict(ap=0.5, curve=[1, 2])


def test_a_link_stays_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere/2026.bin", tmp_path / "record.json"
    target.write_text("old")
    link.symlink_to(target)
    check_output_file(link)
    write_atomically(link, lambda part: part.write_text(part.name))
    assert link.is_symlink()
    assert target.read_text() == "record.json"
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "elsewhere", target, link]


def test_a_pipe_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_output_file(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "a line\n")
    assert os.read(reader, 100) == b"a line\n"
    os.close(reader)
    assert not pipe.is_file()


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "record.json"
    write_json(path, 1)

    def fail(part):
        part.write_text("half")
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        write_atomically(path, fail)
    assert [p.name for p in tmp_path.iterdir()] == ["record.json"]
    assert path.read_text() == "1\n"


@pytest.mark.parametrize("size", [None, 2_000_000])
def test_a_full_disk_is_said_in_a_sentence(tmp_path, monkeypatch, size):
    path = tmp_path / "table.md"
    write_text(path, "good")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    needs = "cannot be written" if size is None else "needs 2.0 MB"
    with pytest.raises(DiskFullError, match=f"the disk is full: .*table.md {needs}, .* are free"):
        write_atomically(path, lambda part: part.write_text("half"), size)
    assert path.read_text() == "good"
    assert [p.name for p in tmp_path.iterdir()] == ["table.md"]
