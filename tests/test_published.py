"""The models in checkpoints/ are those that their cards describe, and do what the cards say."""

import hashlib
import json
import os

import numpy as np
import pytest
import torch

from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.paths import SHIPPED_CHECKPOINT, SHIPPED_CONFIG, TWIN_CHECKPOINT, TWIN_CONFIG

from .scripts import run

PUBLISHED = {SHIPPED_CONFIG: SHIPPED_CHECKPOINT, TWIN_CONFIG: TWIN_CHECKPOINT}
CARDS = {path: json.loads(path.with_suffix(".json").read_text()) for path in PUBLISHED.values()}
LARGEST = 20e6  # bytes, of all

both = pytest.mark.parametrize("checkpoint", PUBLISHED.values(), ids=lambda path: path.stem)


@both
def test_file_is_that_of_the_card(checkpoint):
    content = checkpoint.read_bytes()
    assert hashlib.sha256(content).hexdigest() == CARDS[checkpoint]["sha256"]
    assert len(content) == CARDS[checkpoint]["bytes"]


def test_they_are_small():
    assert sum(card["bytes"] for card in CARDS.values()) <= LARGEST


@both
def test_holds_weights_alone_in_half_precision(checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    assert content.keys() == {"state_dict"}
    floating = {t.dtype for t in content["state_dict"].values() if t.is_floating_point()}
    assert floating == {torch.float16}


def test_the_first_is_what_the_inferencer_uses():
    pose = PoseInferencer(device="cpu")
    assert (
        sum(p.numel() for p in pose.model.parameters()) == CARDS[SHIPPED_CHECKPOINT]["parameters"]
    )
    people = pose(np.zeros((128, 96, 3), np.uint8))[0].pred_instances
    assert people.keypoints.shape == (1, 17, 2)


@pytest.mark.skipif("DYRELU_DATA" not in os.environ, reason="COCO-mini: set DYRELU_DATA")
@pytest.mark.parametrize("config", PUBLISHED, ids=lambda path: path.stem)
def test_reproduces_the_ap_of_the_card(config, tmp_path):
    out = tmp_path / "metrics.json"
    run("tools/test.py", config, PUBLISHED[config], "--work-dir", tmp_path, "--out", out)
    ap = json.loads(out.read_text())["coco/AP"]
    assert 100 * ap == pytest.approx(100 * CARDS[PUBLISHED[config]]["metrics"]["coco/AP"], abs=0.1)
