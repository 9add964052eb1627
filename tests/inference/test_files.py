"""What is read from files and folders, and under which names it is written."""

from pathlib import Path

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.files import find_files, image_ids


def test_a_folder_gives_its_pictures_and_videos_at_any_depth(tmp_path):
    for name in ("b.JPG", "a/c.webp", "a/d.mov", "a/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = find_files([tmp_path])
    assert [str(name) for _, name in found] == ["a/c.png", "a/d.mp4", "b.JPG"]
    assert found[0][0] == tmp_path / "a/c.webp"


def test_two_files_are_never_written_to_one_place(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.jpg").touch()
    with pytest.raises(UserError, match="x/same.jpg and .*y/same.jpg would both be written"):
        find_files([tmp_path / "x", tmp_path / "y"])


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no file in this folder ends in .jpg, .*, .mp4"):
        find_files([tmp_path])
    with pytest.raises(UserError, match="no such file or folder"):
        find_files([tmp_path / "absent"])


def test_numbered_pictures_keep_their_numbers():
    assert image_ids([Path("000042.jpg"), Path("000007.jpg")]) == [42, 7]
    assert image_ids([Path("000042.jpg"), Path("dog.jpg")]) == [1, 2]
    assert image_ids([Path("a/7.jpg"), Path("b/007.jpg")]) == [1, 2]
