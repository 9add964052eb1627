"""PoseInferencer gives what MMPose's own inference gives, in batches and in order."""

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.apis import inference_topdown, init_model

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference import PoseInferencer
from tests.scripts import DEMO

BOXES = np.array([[10, 5, 60, 85], [50, 20, 110, 80], [0, 0, 30, 90]], np.float32)


@pytest.fixture(scope="module")
def pose(checkpoint):
    return PoseInferencer(DEMO, checkpoint, device="cpu", batch_size=2)


def test_people_are_those_that_mmpose_finds(pose, checkpoint, picture):
    people = pose(picture, BOXES)[0].pred_instances
    theirs = inference_topdown(init_model(DEMO, str(checkpoint), "cpu"), picture, BOXES)
    for i, sample in enumerate(theirs):  # of a batch of three, which some CPUs sum in another order
        np.testing.assert_allclose(
            people.keypoints[i], sample.pred_instances.keypoints[0], atol=0.01
        )
        np.testing.assert_allclose(
            people.keypoint_scores[i], sample.pred_instances.keypoint_scores[0], rtol=1e-4
        )
    np.testing.assert_allclose(people.bboxes, BOXES, atol=1e-3)


def test_each_picture_of_a_batch_gets_its_own_people(pose, picture, tmp_path):
    file = tmp_path / "other.png"
    cv2.imwrite(str(file), picture[::-1])
    whole = [[0, 0, 120, 90]]
    results = pose([picture, file, picture, file], [BOXES, np.zeros((0, 4)), None, whole])
    assert [len(result.pred_instances) for result in results] == [3, 0, 1, 1]
    alone = pose(file)[0].pred_instances.keypoints
    np.testing.assert_allclose(results[3].pred_instances.keypoints, alone, atol=0.02)
    assert results[1].pred_instances.keypoints.shape == (0, 17, 2)


def test_a_box_may_reach_out_of_the_picture(pose, picture):
    people = pose(picture, [[-30, -30, 1, 1], [119, 89, 300, 300]])[0].pred_instances
    assert len(people) == 2


def test_grey_arrays_are_pictures(pose, picture):
    grey = picture[..., 0]
    people = pose([grey, np.dstack([grey] * 3)])
    np.testing.assert_array_equal(*(p.pred_instances.keypoints for p in people))


@pytest.mark.parametrize(
    ("pictures", "bboxes", "message"),
    [
        (np.zeros((8, 8, 4), np.uint8), None, "3 channels, blue first, not 4"),
        (np.zeros((8, 8, 3), np.float32), None, "bytes.*not float32"),
        (np.zeros((0, 8, 3), np.uint8), None, "not uint8 \\(0, 8, 3\\)"),
        (np.zeros((8, 8, 3), np.uint8), [[4, 4, 4, 9]], "box .4.0, 4.0, 4.0, 9.0. is not"),
        (np.zeros((8, 8, 3), np.uint8), [[0, 0, float("nan"), 9]], "is not left, top, right"),
        (np.zeros((8, 9, 3), np.uint8), [[0, 0, 5, 5], [9, 0, 12, 5]], "outside .* 9x8 pixels"),
        (np.zeros((8, 9, 3), np.uint8), [[0, -7, 5, 0]], "outside of the picture"),
        (np.zeros((8, 9, 3), np.uint8), [[0, 0, 5, 5, 1, 0]] * 2, r"shape \(2, 6\): \(P, 4\) are"),
        ([np.zeros((8, 8, 3), np.uint8)], [], "1 pictures need as many bboxes, not 0"),
    ],
)
def test_what_is_no_picture_or_box_is_refused(pose, pictures, bboxes, message):
    with pytest.raises(UserError, match=message):
        pose(pictures, bboxes)


def test_batches_of_nobody_are_refused(checkpoint):
    with pytest.raises(UserError, match="batches of 0 people: take at least 1"):
        PoseInferencer(DEMO, checkpoint, device="cpu", batch_size=0)


def test_models_that_are_not_top_down_are_refused(checkpoint):
    config = Config.fromfile(DEMO)
    config.model.estimator = "BottomupPoseEstimator"
    with pytest.raises(UserError, match="BottomupPoseEstimator is not a top-down model"):
        PoseInferencer(config, checkpoint, device="cpu")


def test_a_config_of_ones_own_needs_weights():
    with pytest.raises(UserError, match="needs a checkpoint"):
        PoseInferencer(DEMO)
