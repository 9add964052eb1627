"""tools/demo.py finds the people itself, by a detector."""

import json

import cv2
import numpy as np
import pytest

from tests.scripts import DEMO, run

pytest.importorskip("onnx", reason="pip install onnx: writes the detectors of these tests")

from tests.detection.files import PEOPLE, corners, in_picture


def test_the_demo_draws_and_lists_who_is_found(checkpoint, picture, detector, folder, tmp_path):
    model = ("--config", DEMO, "--checkpoint", checkpoint, "--device", "cpu", "--kpt-thr", 1.1)
    out = tmp_path / "out"
    printed = run("tools/demo.py", folder, "--detector", detector, "--out", out, *model)
    assert "8 people in 4 pictures" in printed
    entries = json.loads((out / "results.keypoints.json").read_text())
    for image in (1, 2, 3):
        found = [e for e in entries if e["image_id"] == image]
        wanted = [in_picture(0), in_picture(1)]
        np.testing.assert_allclose([corners(e["bbox"]) for e in found], wanted, atol=0.02)
        assert [e["category_id"] for e in found] == [1, 1]
        for entry, person in zip(found, PEOPLE, strict=True):
            mean = np.mean(entry["keypoints"][2::3])
            assert entry["score"] == pytest.approx(person[3] * mean, abs=2e-4)
    # The frames of the boxes are drawn, and nothing inside of them.
    changed = (cv2.imread(str(out / "1.png")) != picture).any(axis=2)
    for left, top, right, bottom in (in_picture(0), in_picture(1)):
        rows = slice(int(top) + 4, int(bottom) - 4)
        assert changed[rows, round(left) - 2 : round(left) + 3].any(axis=1).all()
        assert not changed[rows, int(left) + 4 : int(right) - 4].any()

    nobody = ("--bbox-thr", 0.95, "--out", tmp_path / "none")
    printed = run("tools/demo.py", folder, "--detector", detector, *nobody, *model)
    assert "nobody in 1.png, 2.png, 3.jpg and 1 more" in printed
    assert "0 people in 4 pictures" in printed
    assert json.loads((tmp_path / "none/results.keypoints.json").read_text()) == []
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "none/1.png")), picture)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--detector", "d.onnx", "--bboxes", "b.json"), 2, "not allowed with argument --detector"),
        (("--detector", "d.onnx", "--bbox-thr", "1.5"), 2, "1.5 is not a number from 0 to 1"),
        (("--detector", "d.onnx", "--nms-thr", "much"), 2, "much is not a number from 0 to 1"),
        (("--detector", "d.onnx", "--every", "0"), 2, "0 is not a whole number of at least 1"),
        (("--smooth",), 2, "need --detector"),
        (("--every", "3"), 2, "need --detector"),
        (("--detector", "."), 1, "error: detector . is a folder, and has to be an ONNX file"),
        (("--detector", "none.onnx"), 1, "error: detector none.onnx does not exist"),
    ],
)
def test_what_the_demo_cannot_use_is_said(arguments, code, message, folder, tmp_path):
    out = tmp_path / "out"
    printed = run("tools/demo.py", folder, "--out", out, *arguments, expect=code, cwd=tmp_path)
    assert message in printed
    assert "Traceback" not in printed
    assert not out.exists()
