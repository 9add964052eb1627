"""Files are UTF-8 in any locale, and may begin with a byte-order mark: each kind by its reader."""

import json
import subprocess

import pytest

from dyrelu_pose.config.load import load_config
from dyrelu_pose.errors import UserError
from tests.scripts import start

TEXT = "Prüfung, 文書"
ASCII = dict(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
READ = """
import locale, logging, sys
from pathlib import Path
import dyrelu_pose
from mmengine.config import Config
from mmengine.fileio import load
from mmengine.logging import MMLogger
from dyrelu_pose.compat.xtcocotools import COCO
from dyrelu_pose.config.files import check_files
from dyrelu_pose.config.load import load_config
from dyrelu_pose.datasets import CocoDataset
from dyrelu_pose.inference.boxes import Boxes
from dyrelu_pose.prepare.crops.annotations import read_persons
from dyrelu_pose.visualization.run_log import read_run

assert "utf" not in locale.getpreferredencoding(False).lower()
text, folder = sys.argv[1].encode("ascii").decode("unicode_escape"), Path(sys.argv[2])
people = str(folder / "people.json")
load_config(str(folder / "config.py"))
assert load_config(str(folder / "config.json")).name == text
assert load_config(str(folder / "config.yaml")).name == text
assert load(people)["info"] == text
check_files(Config(dict(model={}, val_dataloader=dict(dataset=dict(ann_file=people)))), ["val"])
truths = COCO(people)
assert truths.dataset["info"] == text
truths.loadRes(str(folder / "results.json"))
CocoDataset(ann_file=people, data_prefix=dict(img=""), lazy_init=True)._load_annotations()
read_persons(Path(people), 17)
Boxes(people)
logger = MMLogger.get_instance("tested", log_file=str(folder / "run.log"))
logger.info(text)
print("read")
"""
PERSON = dict(id=1, image_id=1, category_id=1, iscrowd=0, bbox=[1, 1, 9, 9], area=81,
              keypoints=[5, 6, 2] * 17, num_keypoints=17)  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_locale_without_umlauts_reads_all_kinds_of_files(tmp_path, encoding):
    def write(name, content):
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (tmp_path / name).write_text(text, encoding=encoding)

    people = dict(
        info=TEXT,
        images=[dict(id=1, file_name="a.jpg", width=20, height=20)],
        annotations=[PERSON],
        categories=[dict(id=1, name=TEXT)],
    )
    write("people.json", people)
    write("results.json", [dict(PERSON, score=0.5, note=TEXT)])
    write("config.json", dict(name=TEXT))
    write("config.yaml", f"name: {TEXT}\n")
    (tmp_path / "config.py").write_text(f"name = '{TEXT}'\n", encoding="utf-8")

    escaped = TEXT.encode("unicode_escape").decode()
    process = start("-c", READ, escaped, tmp_path, stderr=subprocess.PIPE, **ASCII)
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert "Logging error" not in errors
    assert printed.splitlines()[-1] == "read"
    assert TEXT in (tmp_path / "run.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"name = '{TEXT}'".encode("utf-8-sig"), "save it in UTF-8 without a byte-order mark$"),
        ("name = 'ü'".encode("latin-1"), "'utf-8' codec can't decode byte 0xfc"),
        (b"name = dict(", r"'\(' was never closed"),
    ],
)
@pytest.mark.parametrize("name", ["config.py", "child.py"])
def test_a_python_config_of_another_encoding_is_named(tmp_path, content, message, name):
    (tmp_path / "config.py").write_bytes(content)
    (tmp_path / "child.py").write_text("_base_ = 'config.py'\n")
    heir = r" .which \S+child.py inherits from." if name == "child.py" else ""
    with pytest.raises(UserError, match=rf"config \S+config.py{heir}: .*{message}"):
        load_config(str(tmp_path / name))
