"""tools/demo.py draws pictures and videos, lists keypoints, and says what it had to skip."""

import functools
import json
import re

import cv2
import numpy as np
import pytest

from dyrelu_pose.compat.xtcocotools import COCO
from tests.scripts import DEMO, run


@pytest.fixture
def demo(checkpoint):
    tool = ("tools/demo.py", "--config", DEMO, "--checkpoint", checkpoint, "--device", "cpu")
    return functools.partial(run, *tool)


def write_video(path, frames):
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (120, 90))
    for frame in frames:
        video.write(frame)
    video.release()


def test_a_folder_is_drawn_and_its_damaged_file_skipped(demo, picture, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = ["000000000005.png", "000000000006.png"]
    for name in names:
        cv2.imwrite(str(folder / name), picture)
    (folder / "000000000007.png").write_bytes(b"not a picture")
    write_video(folder / "walk.avi", [picture] * 3)
    boxes = tmp_path / "boxes.json"
    boxes.write_text(
        json.dumps({names[0]: [[5, 5, 50, 80], [60, 5, 50, 80]], "1": [[0, 0, 50, 90]]})
    )

    printed = demo(folder, "--out", out, "--bboxes", boxes, "--kpt-thr", 0, "--draw-bbox", expect=1)
    assert "skipped" in printed
    assert "000000000007.png cannot be decoded" in printed
    assert "error: 1 of 4 files were skipped" in printed
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
    boxes.write_text('[{"image_id": "a.png", "bbox": [0, 0, 9, 9], "score": 0.2}]')
    printed = demo(tmp_path / "a.png", "--bboxes", boxes, expect=1)
    assert "no box for any of the 1 pictures; 1 have scores below --bbox-thr" in printed


def test_results_have_the_numbers_and_the_category_of_the_boxes(demo, picture, tmp_path):
    names = {17: "cam1/a.png", 42: "cam2/a.png", 8: "cam3/b.png", 99: "walk/1.jpg"}
    for name in ("cam1/a.png", "cam2/a.png", "unlisted.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "in" / name), picture)
    write_video(tmp_path / "in/walk.avi", [picture] * 2)
    content = dict(
        images=[dict(id=number, file_name=name) for number, name in names.items()],
        annotations=[dict(image_id=n, category_id=2, bbox=[n, 10, 60, 80]) for n in names],
        categories=[dict(id=2, name="document")],
    )
    boxes, out = tmp_path / "boxes.json", tmp_path / "out"
    boxes.write_text(json.dumps(content))
    demo(tmp_path / "in", "--bboxes", boxes, "--out", out)
    entries = json.loads((out / "results.keypoints.json").read_text())
    keys = ("image_id", "category_id", "file_name")
    found = {tuple(entry[key] for key in keys): entry["bbox"] for entry in entries}
    assert found == {
        (17, 2, "cam1/a.png"): [17, 10, 60, 80],
        (42, 2, "cam2/a.png"): [42, 10, 60, 80],
    }
    (frame,) = json.loads((out / "walk.keypoints.json").read_text())
    assert (frame["image_id"], frame["category_id"]) == (99, 2)


def test_half_a_video_is_drawn_and_said_to_be_half(demo, picture, tmp_path):
    rng = np.random.default_rng(0)
    path, out = tmp_path / "walk.avi", tmp_path / "out"
    write_video(path, rng.integers(0, 256, (10, *picture.shape), np.uint8))
    demo(path, "--out", out)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    printed = demo(path, "--out", out, expect=1)
    assert re.search(r"walk.avi: only [345] of 10 frames can be read, it is cut", printed)
    assert "error: 1 of 1 files were skipped, or read in part" in printed
    assert cv2.VideoCapture(str(out / "walk.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) in (3, 4, 5)


def test_a_box_outside_of_its_picture_is_named_before_any_is_drawn(demo, picture, tmp_path):
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), picture)
    boxes, out = tmp_path / "boxes.json", tmp_path / "out"
    boxes.write_text(json.dumps({"a.png": [[0, 0, 50, 50]], "b.png": [[121, 0, 50, 50]]}))
    printed = demo(tmp_path, "--bboxes", boxes, "--out", out, "--batch-size", 1, expect=1)
    assert re.search(r"error: boxes \S+boxes.json: b.png: box .* outside .* 120x90", printed)
    assert not list(out.glob("*"))


def test_what_was_found_before_an_error_is_kept(demo, picture, tmp_path):
    write_video(tmp_path / "walk.avi", [picture] * 2)
    boxes, out = tmp_path / "boxes.json", tmp_path / "out"
    boxes.write_text(json.dumps({"0": [[0, 0, 50, 50]], "1": [[121, 0, 50, 50]]}))
    demo(tmp_path / "walk.avi", "--bboxes", boxes, "--out", out, "--batch-size", 1, expect=1)
    (person,) = json.loads((out / "walk.keypoints.json").read_text())
    assert person["image_id"] == 0


def test_a_second_run_does_not_draw_its_drawings(demo, picture, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    for _ in range(2):
        printed = demo(tmp_path, "--out", tmp_path / "drawn")
        assert "1 person in 1 picture," in printed


def test_a_video_of_many_frames_a_second_is_drawn(demo, picture, tmp_path):
    path = (
        tmp_path / "2026-11-26T10:30:15.avi"
    )  # of which FFmpeg takes the first part for a protocol
    code = cv2.VideoWriter_fourcc(*"MJPG")
    video = cv2.VideoWriter(str(path), code, 119.967, (120, 90))
    video.write(picture)
    video.release()
    demo(path, "--out", tmp_path / "out")
    assert (tmp_path / "out" / path.with_suffix(".mp4").name).stat().st_size


def test_a_picture_is_never_replaced_by_its_drawing(demo, picture, tmp_path):
    path = tmp_path / "person.png"
    cv2.imwrite(str(path), picture)
    printed = demo(path, "--out", tmp_path, expect=1)
    assert f"the drawing of {path} would take the place of {path}: name another --out" in printed
    np.testing.assert_array_equal(cv2.imread(str(path)), picture)
