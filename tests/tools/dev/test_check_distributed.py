"""Two processes learn and find what one does."""

import json

import pytest
import torch

from dyrelu_pose.errors import UserError
from tests.scripts import load, run

tool = load("tools/dev/check_distributed.py")


@pytest.mark.slow
def test_two_processes_do_what_one_does(tmp_path):
    out = tmp_path / "distributed.json"
    run("tools/dev/check_distributed.py", "--quick", "--out", out)
    record = json.loads(out.read_text())
    assert record["lost"] == "nothing"
    found = record["2 processes"]
    assert 0 < found["errors"]["epoch"] < 1e-3
    assert found["persons_evaluated"] > 7


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Jobs whose trainings have been run: to the same weights and keypoints."""
    jobs = tool.Jobs.__new__(tool.Jobs)
    jobs.folder, jobs.change = tmp_path, 1.0
    jobs.step = jobs.epoch = {"weight": torch.ones(2)}
    for name in ("one", "2"):
        (tmp_path / name).mkdir()
        people = [{"image_id": 1, "keypoints": [5, 5, 0.5, 7, 7, 0.75]}]
        (tmp_path / name / "found.keypoints.json").write_text(json.dumps(people))
    monkeypatch.setattr(jobs, "train", lambda *_: jobs.trained)
    jobs.trained = {"weight": torch.ones(2)}
    return jobs


def test_the_same_is_no_fault(jobs):
    assert jobs.compare(2)["faults"] == []


@pytest.mark.parametrize("weight", [1.1, float("nan")])
def test_other_weights_are_a_fault(jobs, weight):
    jobs.trained = {"weight": torch.full((2,), weight)}
    assert len(jobs.compare(2)["faults"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [("0.5", "0.6", "the scores"), ("0.5", "NaN", "the scores"), (": 1,", ": 2,", "other persons")],
)
def test_other_predictions_are_a_fault(jobs, old, new, fault):
    path = jobs.folder / "2/found.keypoints.json"
    path.write_text(path.read_text().replace(old, new))
    (found,) = jobs.compare(2)["faults"]
    assert fault in found


def test_one_score_for_all_is_an_error(jobs):
    for path in jobs.folder.glob("*/found.keypoints.json"):
        path.write_text(path.read_text().replace("0.75", "0.5"))
    with pytest.raises(UserError, match="nothing to compare"):
        jobs.compare(2)
