"""A training that is killed and preempted ends like one that is left alone; another would show."""

import json
import shutil

import pytest
import torch

from dyrelu_pose.errors import UserError
from tests.scripts import load, run

tool = load("tools/dev/soak.py")

LAST = "epoch_1.pth"
LOG = "1/vis_data/scalars.json"
FOUND = "found.keypoints.json"


@pytest.mark.slow
def test_interruptions_change_nothing(tmp_path):
    out = tmp_path / "soak.json"
    run("tools/dev/soak.py", "--quick", "--out", out)
    record = json.loads(out.read_text())
    assert record["interruptions"] == 3
    assert record["by_SIGTERM"] == 1
    assert record["weights_identical"]
    assert record["losses_identical"]
    assert record["keypoints_identical"]
    assert record["persons"] > 7
    assert record["times"] == 3
    assert record["lost"].startswith("nothing")


@pytest.fixture
def runs(tmp_path):
    """The work directories of two trainings that went the same way."""
    whole = tmp_path / "whole"
    (whole / LOG).parent.mkdir(parents=True)
    torch.save(dict(state_dict=dict(weight=torch.ones(2))), whole / LAST)
    steps = [dict(step=i + 1, epoch=1, loss=2.0 - i) for i in range(2)]
    (whole / LOG).write_text("".join(json.dumps(step) + "\n" for step in steps))
    people = [dict(image_id=i, keypoints=[1.0 + i, 2.0, 0.5]) for i in range(2)]
    (whole / FOUND).write_text(json.dumps(people))
    shutil.copytree(whole, tmp_path / "interrupted")
    return tmp_path / "interrupted", whole


def other_weights(run):
    torch.save(dict(state_dict=dict(weight=torch.ones(2) + 1e-7)), run / LAST)


def other_losses(run):
    (run / LOG).write_text((run / LOG).read_text().replace("2.0", "2.0000001"))


def other_keypoints(run):
    (run / FOUND).write_text((run / FOUND).read_text().replace("0.5", "0.5000001"))


def test_same_ends_are_told(runs):
    found = tool.compare(*runs, LAST)
    assert tool.lost(found) == tool.NOTHING
    assert found["persons"] == 2


@pytest.mark.parametrize("change", [other_weights, other_losses, other_keypoints])
def test_another_end_is_told(runs, change):
    change(runs[0])
    assert tool.lost(tool.compare(*runs, LAST)) == change.__name__.removeprefix("other_")


@pytest.mark.parametrize("empty", ["[]", json.dumps([dict(image_id=1, keypoints=[0, 0, 0])] * 2)])
def test_nothing_to_compare_is_an_error(runs, empty):
    for folder in runs:
        (folder / FOUND).write_text(empty)
    with pytest.raises(UserError, match="nothing to compare: the keypoints"):
        tool.compare(*runs, LAST)
