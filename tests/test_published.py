"""The model in checkpoints/ is the one that its card describes, and does what the card says."""

import hashlib
import json
import os

import numpy as np
import pytest
import torch

from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.paths import SHIPPED_CHECKPOINT as CHECKPOINT
from dyrelu_pose.paths import SHIPPED_CONFIG as CONFIG

from .scripts import run

CARD = json.loads(CHECKPOINT.with_suffix(".json").read_text())
LARGEST = 12e6  # bytes


def test_file_is_that_of_the_card():
    content = CHECKPOINT.read_bytes()
    assert hashlib.sha256(content).hexdigest() == CARD["sha256"]
    assert len(content) == CARD["bytes"] <= LARGEST


def test_holds_weights_alone_in_half_precision():
    content = torch.load(CHECKPOINT, weights_only=True)
    assert content.keys() == {"state_dict"}
    floating = {t.dtype for t in content["state_dict"].values() if t.is_floating_point()}
    assert floating == {torch.float16}


def test_is_what_the_inferencer_uses():
    pose = PoseInferencer(device="cpu")
    assert sum(p.numel() for p in pose.model.parameters()) == CARD["parameters"]
    people = pose(np.zeros((128, 96, 3), np.uint8))[0].pred_instances
    assert people.keypoints.shape == (1, 17, 2)


@pytest.mark.skipif("DYRELU_DATA" not in os.environ, reason="COCO-mini: set DYRELU_DATA")
def test_reproduces_the_ap_of_the_card(tmp_path):
    out = tmp_path / "metrics.json"
    run("tools/test.py", CONFIG, CHECKPOINT, "--work-dir", tmp_path, "--out", out)
    ap = json.loads(out.read_text())["coco/AP"]
    assert 100 * ap == pytest.approx(100 * CARD["metrics"]["coco/AP"], abs=0.1)
