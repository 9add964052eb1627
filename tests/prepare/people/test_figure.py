"""Drawing: what is nearer hides what is behind, and faces are seen from the front only."""

from dataclasses import replace

import numpy as np
import pytest

from dyrelu_pose.datasets.coco_keypoints import INDEX, KEYPOINTS
from dyrelu_pose.prepare.people.appearance import sample_look
from dyrelu_pose.prepare.people.canvas import Canvas
from dyrelu_pose.prepare.people.figure import HIDDEN, SEEN, UNKNOWN, draw_figure
from dyrelu_pose.prepare.people.skeleton import Body, Pose, pose_skeleton

BODY = Body(
    height=1, girth=1, head=1, shoulders=0.108, hips=0.062, spine=0.3,
    upper_arm=0.172, forearm=0.148, thigh=0.24, shin=0.235,
)  # fmt: skip
ARMS = np.array([(0, 12, 0, 10)] * 2, float)
POSE = Pose(
    yaw=0, lean=0, bend=0, tilt=0, twist=0, head=np.zeros(3),
    arms=ARMS, legs=np.array([(0, 4, 0, 0)] * 2, float), seated=False,
)  # fmt: skip
LOOK = replace(
    sample_look(np.random.default_rng(0)), hair_style="short", glasses=False, skirt=False
)
LIGHT = np.array((0.3, 0.6, 0.8))
FACE = KEYPOINTS[:5]


def drawn(foot=(128, 240), scale=200, **changes):
    skeleton = pose_skeleton(BODY, replace(POSE, **changes))
    return draw_figure(skeleton, LOOK, foot, scale, (256, 256), LIGHT)


def seen(figure) -> dict[str, int]:
    return dict(zip(KEYPOINTS, figure.seen.tolist(), strict=True))


def test_everything_is_seen_of_who_faces_the_camera():
    assert set(drawn().seen) == {SEEN}


def test_nose_and_eyes_are_unknown_from_behind_and_the_body_is_not():
    back = seen(drawn(yaw=180))
    assert [back[name] for name in FACE[:3]] == [UNKNOWN] * 3
    assert {back[name] for name in KEYPOINTS[5:]} == {SEEN}


@pytest.mark.parametrize(("yaw", "near", "far"), [(90, "right", "left"), (-90, "left", "right")])
def test_a_profile_hides_the_far_side(yaw, near, far):
    arms = np.array([(60, 0, 0, 10)] * 2, float)  # out of the way of the hips
    profile = seen(drawn(yaw=yaw, arms=arms))
    assert profile[f"{near}_shoulder"] == profile[f"{near}_hip"] == profile[f"{near}_ear"] == SEEN
    assert profile[f"{far}_shoulder"] == profile[f"{far}_hip"] == HIDDEN
    assert profile[f"{far}_ear"] == profile[f"{far}_eye"] == UNKNOWN


def test_an_arm_behind_the_back_is_hidden():
    arms = np.array(((-35, 0, 60, 80), ARMS[1]), float)
    figure = seen(drawn(arms=arms))
    assert figure["left_wrist"] == HIDDEN
    assert figure["right_wrist"] == SEEN


def test_seen_keypoints_lie_on_the_figure():
    figure = drawn()
    for column, row in np.round(figure.keypoints).astype(int):
        assert figure.layer.mask[row - figure.layer.top, column - figure.layer.left]


def test_the_head_is_at_the_top_and_the_shoes_stand_on_the_ground():
    figure = drawn()
    rows = np.flatnonzero(figure.layer.mask.any(axis=1)) + figure.layer.top
    places = figure.keypoints[:, 1]
    assert rows[0] < places[INDEX["nose"]] < places[INDEX["left_hip"]]
    assert places[INDEX["left_ankle"]] < rows[-1] == pytest.approx(240, abs=4)


def test_who_stands_at_the_border_is_cut_off_at_the_same_place():
    whole, cut = drawn(foot=(128, 240)), drawn(foot=(0, 240))
    assert cut.layer.left == 0
    np.testing.assert_allclose(cut.keypoints - whole.keypoints, [(-128, 0)] * 17, atol=1e-9)
    assert drawn(foot=(-500, 240)) is None


def test_a_nearer_part_hides_a_farther_one_in_any_order():
    pictures = []
    for order in ((0, 1), (1, 0)):
        canvas = Canvas(0, 0, 40, 40, light=np.array((0, 0, 1)))
        for i in order:
            start, end = np.array((5, 20, 10.0 * i)), np.array((35, 20, 10.0 * i))
            canvas.tube(start, end, (4, 4), (255 * i, 0, 0))
        pictures.append(canvas.color)
    np.testing.assert_array_equal(*pictures)
    assert pictures[0][20, 20, 0] > 200


def test_a_sphere_covers_its_disc_and_bulges_by_its_radius():
    canvas = Canvas(0, 0, 101, 101, light=np.array((0, 0, 1)))
    canvas.ellipsoid(np.array((50, 50, 7)), np.eye(3), np.array((30, 30, 30)), (255, 255, 255))
    assert canvas.mask.sum() == pytest.approx(np.pi * 30**2, rel=0.01)
    assert canvas.nearest(50, 50) == pytest.approx(37, abs=0.01)
    assert canvas.nearest(0, 0) == -np.inf


def test_a_turned_ellipsoid_shows_its_own_extent():
    canvas = Canvas(0, 0, 101, 101, light=np.array((0, 0, 1)))
    turned = np.array([(0, -1, 0), (1, 0, 0), (0, 0, 1)], float)  # its own x points up
    canvas.ellipsoid(np.array((50, 50, 0)), turned, np.array((40, 10, 10)), (9, 9, 9))
    assert canvas.mask.any(axis=1).sum() == pytest.approx(80, abs=2)
    assert canvas.mask.any(axis=0).sum() == pytest.approx(20, abs=2)
