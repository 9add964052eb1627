"""Recall: counted as it should be, and that of the files in DYRELU_DATA as it was measured."""

import os
from pathlib import Path

import numpy as np
import pytest

from dyrelu_pose.datasets.load_image import read_image
from dyrelu_pose.detection import PersonDetector, network
from dyrelu_pose.detection.recall import matches, recall

DATA = Path(os.environ.get("DYRELU_DATA", "data"))
needs_files = pytest.mark.skipif(
    not (DATA / "detector").is_dir(), reason="person detectors: DYRELU_DATA with detector/"
)


@pytest.mark.parametrize(
    ("boxes", "found"),
    [
        ([], 0),
        ([[0, 0, 10, 10]], 1),
        ([[0, 0, 10, 10], [0, 0, 10, 10]], 1),  # one person, found twice
        ([[0, 0, 10, 5]], 1),  # half of it: IoU 0.5
        ([[0, 0, 10, 4.9]], 0),
        ([[5, 0, 15, 10], [20, 0, 30, 10]], 1),  # the first: IoU 1/3
        ([[20, 0, 30, 10], [0, 0, 10, 10], [90, 0, 99, 9]], 2),
    ],
)
def test_each_person_needs_a_box(boxes, found):
    truths = np.array([[0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = np.array(boxes, float).reshape(-1, 4)
    assert matches(np.column_stack((boxes, np.ones(len(boxes)))), truths) == found
    assert matches(boxes, truths[:0]) == 0


@needs_files
@pytest.mark.parametrize(
    ("file", "score", "share"),
    [("nanodet_m_416.onnx", 0.35, 0.81), ("yolox_nano.onnx", 0.3, 0.78)],
)
def test_people_of_coco_mini_are_found(file, score, share):
    detector, coco = PersonDetector(DATA / "detector" / file, score), DATA / "coco_mini"
    annotations = coco / "annotations/person_keypoints_val.json"
    found, labelled = recall(detector, coco / "val", annotations, 100)
    assert labelled == 283
    assert found / labelled == pytest.approx(share, abs=0.02)


@needs_files
@pytest.mark.parametrize("file", ["nanodet_m_416.onnx", "yolox_nano.onnx"])
def test_opencv_finds_what_onnx_runtime_finds(file, monkeypatch):
    pytest.importorskip("onnxruntime", reason="pip install onnxruntime")
    detectors = [PersonDetector(DATA / "detector" / file)]
    monkeypatch.setattr(network, "find_spec", lambda name: None)
    detectors.append(PersonDetector(DATA / "detector" / file))
    for path in sorted((DATA / "coco_mini/val").glob("*.jpg"))[:5]:
        found, by_opencv = (detector(read_image(path)) for detector in detectors)
        np.testing.assert_allclose(by_opencv, found, atol=0.05)
