"""tools/detect.py writes the boxes of people, and a model is evaluated with them."""

import json

import cv2
import numpy as np
import pytest

from dyrelu_pose.compat.xtcocotools import COCO
from tests.scripts import DEMO, run

pytest.importorskip("onnx", reason="pip install onnx: writes the detectors of these tests")

from tests.detection.files import corners, in_picture, yolox


def test_boxes_are_written_by_number_or_name(detector, folder, tmp_path):
    out = tmp_path / "boxes.json"
    (folder / "5.png").write_bytes(b"not a picture")
    printed = run("tools/detect.py", detector, folder, "--out", out, expect=1)
    assert "5.png cannot be decoded" in printed
    assert "8 boxes in 4 pictures" in printed
    assert "error: 1 of 5 pictures were skipped" in printed
    found = json.loads(out.read_text())
    assert [entry["image_id"] for entry in found] == [1, 1, 2, 2, 3, 3, 4, 4]
    wanted = in_picture(0)
    assert found[0].keys() == {"image_id", "category_id", "bbox", "score"}
    np.testing.assert_allclose(corners(found[0]["bbox"]), wanted, atol=0.02)
    assert (found[0]["category_id"], found[0]["score"]) == (1, 0.9)

    (folder / "5.png").rename(folder / "walk.png")
    cv2.imwrite(str(folder / "walk.png"), np.zeros((90, 120, 3), np.uint8))
    run("tools/detect.py", detector, folder, "--out", out, "--max-people", 1)
    names = [entry["image_id"] for entry in json.loads(out.read_text())]
    assert names == ["1.png", "2.png", "3.jpg", "4.png", "walk.png"]

    twin = folder / "more"
    twin.mkdir()
    (folder / "1.png").rename(twin / "1.png")
    (folder / "2.png").rename(folder / "1.png")
    printed = run("tools/detect.py", detector, folder, "--out", out, expect=1)
    assert "would both be image 1.png" in printed


def test_a_model_is_evaluated_with_the_boxes(checkpoint, people, tmp_path):
    """Boxes of the file's own pictures, by its numbers and category."""
    ann_file = people / "annotations/person_keypoints_val.json"
    content = json.loads(ann_file.read_text())
    whole = (32, 1, 1, 0.9, 2.0, 2.0, 62.0, 82.0)  # nearly all of the pictures, of 120 x 160
    detector, out = yolox(tmp_path / "d.onnx", [whole]), tmp_path / "boxes.json"
    arguments = (detector, people / "val", "--ann-file", ann_file, "--out", out)
    assert "2 boxes in 2 pictures" in run("tools/detect.py", *arguments)
    found = json.loads(out.read_text())
    assert {entry["image_id"] for entry in found} == {image["id"] for image in content["images"]}
    assert COCO(str(ann_file)).loadRes(str(out)).anns

    root = f"data_root={people}/"
    options = [f"test_dataloader.dataset.{root}", f"test_dataloader.dataset.bbox_file={out}"]
    options += [f"test_evaluator.ann_file={ann_file}"]
    metrics = tmp_path / "metrics.json"
    run(
        "tools/test.py", DEMO, checkpoint, "--work-dir", tmp_path / "run", "--out", metrics,
        "--cfg-options", *options, f"test_evaluator.outfile_prefix={tmp_path}/poses",
    )  # fmt: skip
    assert "coco/AP" in json.loads(metrics.read_text())
    poses = json.loads((tmp_path / "poses.keypoints.json").read_text())
    assert len(poses) == 2  # one a box, and not one a person

    (people / "val").rename(people / "elsewhere")
    printed = run("tools/detect.py", *arguments, expect=1)
    (people / "elsewhere").rename(people / "val")
    assert "2 of the 2 images of" in printed
