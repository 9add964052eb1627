"""Kinematics: bones keep their length, joints their limits, and left is the person's left."""

from dataclasses import replace

import numpy as np
import pytest

from dyrelu_pose.prepare.people.skeleton import (
    ARM_LIMITS,
    LEG_LIMITS,
    POSE_FAMILIES,
    Pose,
    pose_skeleton,
    sample_body,
    sample_pose,
)

BODY = sample_body(np.random.default_rng(1))
UPRIGHT = Pose(
    yaw=0, lean=0, bend=0, tilt=0, twist=0, head=np.zeros(3),
    arms=np.zeros((2, 4)), legs=np.zeros((2, 4)), seated=False,
)  # fmt: skip
PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")


def posed(**changes):
    return pose_skeleton(BODY, replace(UPRIGHT, **changes)).points


@pytest.mark.parametrize("joint", PAIRS)
def test_left_appears_on_the_right_of_who_faces_the_camera(joint):
    front, back = posed(yaw=0), posed(yaw=180)
    assert front[f"left_{joint}"][0] > front[f"right_{joint}"][0]
    assert back[f"left_{joint}"][0] < back[f"right_{joint}"][0]


@pytest.mark.parametrize(
    ("angle", "joint", "axis", "sign"),
    [
        ((90, 0, 0, 0), "wrist", 2, 1),  # arms forward: towards the camera
        ((0, 90, 0, 0), "wrist", 0, 1),  # arms sideways: the left one to the picture's right
        ((0, 0, 0, 90), "wrist", 2, 1),  # elbows bend forward
        ((0, 0, 90, 90), "wrist", 0, -1),  # turned inward, the forearm crosses the belly
    ],
)
def test_arm_angles_move_the_hand_the_right_way(angle, joint, axis, sign):
    moved = (
        posed(arms=np.array((angle, (0, 0, 0, 0)), float))[f"left_{joint}"]
        - posed()[f"left_{joint}"]
    )
    assert sign * moved[axis] > 0.1


def test_knees_bend_backwards_and_hips_forward():
    bent = posed(legs=np.array(((0, 0, 0, 60), (60, 0, 0, 0)), float))
    assert bent["left_ankle"][2] < bent["left_knee"][2] - 0.1
    assert bent["right_knee"][2] > bent["right_hip"][2] + 0.1


@pytest.mark.parametrize("seed", range(20))
def test_bones_keep_their_length_in_every_pose(seed):
    rng = np.random.default_rng(seed)
    body, pose = sample_body(rng), sample_pose(rng)
    points = pose_skeleton(body, pose, camera_pitch=7).points
    bones = {
        ("shoulder", "elbow"): body.upper_arm,
        ("elbow", "wrist"): body.forearm,
        ("hip", "knee"): body.thigh,
        ("knee", "ankle"): body.shin,
    }
    for side in ("left", "right"):
        for (first, second), length in bones.items():
            bone = points[f"{side}_{first}"] - points[f"{side}_{second}"]
            assert np.linalg.norm(bone) == pytest.approx(length)


@pytest.mark.parametrize("name", POSE_FAMILIES)
def test_families_stay_within_the_joint_limits(name):
    family = POSE_FAMILIES[name]
    for ranges, limits in ((family.arms, ARM_LIMITS), (family.legs, LEG_LIMITS)):
        for angles in np.array(ranges, float):
            assert (angles[:, 0] <= angles[:, 1]).all()
            assert (angles >= limits[:, :1]).all()
            assert (angles <= limits[:, 1:]).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_body_stands_on_the_ground(seed):
    rng = np.random.default_rng(seed)
    points = pose_skeleton(sample_body(rng), sample_pose(rng)).points
    lowest = min(point[1] for point in points.values())
    assert 0 < lowest < 0.03
