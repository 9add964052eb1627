"""tools/demo.py draws pictures and videos, lists keypoints, and says what it had to skip."""

import functools
import json

import cv2
import numpy as np
import pytest

from dyrelu_pose.compat.xtcocotools import COCO
from tests.scripts import DEMO, run


@pytest.fixture
def demo(checkpoint):
    tool = ("tools/demo.py", "--config", DEMO, "--checkpoint", checkpoint, "--device", "cpu")
    return functools.partial(run, *tool)


def test_a_folder_is_drawn_and_its_damaged_file_skipped(demo, picture, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = ["000000000005.png", "000000000006.png"]
    for name in names:
        cv2.imwrite(str(folder / name), picture)
    (folder / "000000000007.png").write_bytes(b"not a picture")
    video = cv2.VideoWriter(
        str(folder / "walk.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, (120, 90)
    )
    for _ in range(3):
        video.write(picture)
    video.release()
    boxes = tmp_path / "boxes.json"
    boxes.write_text(
        json.dumps({names[0]: [[5, 5, 50, 80], [60, 5, 50, 80]], "1": [[0, 0, 50, 90]]})
    )

    printed = demo(folder, "--out", out, "--bboxes", boxes, "--kpt-thr", 0, "--draw-bbox", expect=1)
    assert "skipped" in printed
    assert "000000000007.png cannot be decoded" in printed
    assert "1 of 4 files were skipped" in printed
    assert "3 people in 5 pictures" in printed

    drawn, empty = (cv2.imread(str(out / name)) for name in names)
    assert drawn.shape == picture.shape
    assert (drawn != picture).any()
    np.testing.assert_array_equal(empty, picture)  # no box, nobody
    truths = COCO()
    truths.dataset = dict(images=[dict(id=5), dict(id=6)], annotations=[], categories=[dict(id=1)])
    truths.createIndex()
    people = truths.loadRes(str(out / "results.keypoints.json")).loadAnns([1, 2])
    assert [len(person["keypoints"]) for person in people] == [51, 51]
    assert people[0]["image_id"] == 5

    frames = json.loads((out / "walk.keypoints.json").read_text())
    assert [frame["image_id"] for frame in frames] == [1]
    written = cv2.VideoCapture(str(out / "walk.mp4"))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 3
    assert written.get(cv2.CAP_PROP_FPS) == pytest.approx(10)


def test_a_damaged_video_and_boxes_of_other_pictures_are_named(demo, picture, tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"not a video")
    printed = demo(tmp_path, "--out", tmp_path / "out", expect=1)
    assert "walk.mp4: not a video" in printed
    assert "0 people in 0 pictures" in printed
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    boxes = tmp_path / "boxes.json"
    boxes.write_text('{"b.png": [[0, 0, 9, 9]]}')
    printed = demo(tmp_path / "a.png", "--bboxes", boxes, expect=1)
    assert "boxes.json has no box for any of the 1 pictures" in printed


def test_a_picture_is_never_replaced_by_its_drawing(demo, picture, tmp_path):
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), picture)
    printed = demo(path, "--out", tmp_path, expect=1)
    assert "would be replaced by its drawn copy" in printed
    np.testing.assert_array_equal(cv2.imread(str(path)), picture)
