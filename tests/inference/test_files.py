"""What is read from files and folders, and under which names it is written."""

import json
from pathlib import Path

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.bbox_file import annotated_pictures
from dyrelu_pose.inference.files import find_files, find_pictures, image_ids

OUT = Path("nowhere/out")


def test_a_folder_gives_its_pictures_and_videos_at_any_depth(tmp_path):
    for name in ("b.JPG", "a/c.webp", "a/d.mov", "a/notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = find_files([tmp_path], OUT)
    assert [str(name) for _, name in found] == ["a/c.png", "a/d.mp4", "b.JPG"]
    assert found[0][0] == tmp_path / "a/c.webp"


def test_two_files_are_never_written_to_one_place(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.jpg").touch()
    with pytest.raises(UserError, match="x/same.jpg and .*y/same.jpg would both be written"):
        find_files([tmp_path / "x", tmp_path / "y"], OUT)


def test_no_drawing_takes_the_place_of_a_picture(tmp_path):
    for name in ("a.webp", "a.png", "b.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match="drawing of .*b.jpg would take the place of .*b.jpg"):
        find_files([tmp_path / "b.jpg"], tmp_path)
    with pytest.raises(UserError, match="drawing of .*a.webp would take the place of .*a.png"):
        find_files([tmp_path / "a.webp"], tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/b.jpg").touch()  # of a former run
    assert len(find_files([tmp_path / "b.jpg"], tmp_path / "out")) == 1


def test_an_output_folder_is_not_searched(tmp_path):
    for name in ("a.jpg", "out/a.jpg", "out/out/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    assert find_files([tmp_path], out) == [(tmp_path / "a.jpg", Path("a.jpg"))]
    assert len(find_files([out], out / "again")) == 2


def test_a_video_does_not_replace_the_results_of_pictures(tmp_path):
    for name in ("results.mov", "a.png"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match="results.mov and those of the pictures would both"):
        find_files([tmp_path], OUT)
    assert len(find_files([tmp_path / "results.mov"], OUT)) == 1


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no file in this folder ends in .jpg, .*, .mp4"):
        find_files([tmp_path], OUT)
    with pytest.raises(UserError, match="no such file or folder"):
        find_files([tmp_path / "absent"], OUT)


def test_a_video_is_not_taken_for_a_picture(tmp_path):
    (tmp_path / "walk.mp4").touch()
    with pytest.raises(UserError, match=r"walk\.mp4 is a video, and only pictures are read"):
        find_pictures([tmp_path / "walk.mp4"])


def test_numbered_pictures_keep_their_numbers():
    assert image_ids([Path("000042.jpg"), Path("000007.jpg")]) == [42, 7]
    assert image_ids([Path("000042.jpg"), Path("dog.jpg")]) == [1, 2]
    assert image_ids([Path("a/7.jpg"), Path("b/007.jpg")]) == [1, 2]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (dict(id=2), "image 2 has no file_name"),
        (dict(id=1, file_name="b.jpg"), "image 1 has the id of another image"),
        (dict(file_name="b.jpg"), "image number 1 of the list has no id"),
    ],
)
def test_a_bad_image_of_annotations_is_named(tmp_path, image, message):
    path = tmp_path / "a.json"
    images = [dict(id=1, file_name="a.jpg"), image]
    path.write_text(json.dumps(dict(images=images, annotations=[])))
    with pytest.raises(UserError, match=f"annotation file {path}: {message}"):
        annotated_pictures(path, tmp_path)
