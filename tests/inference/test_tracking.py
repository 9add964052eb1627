"""People of a video keep their numbers: followed, missed for a while, steadied."""

import json
import math

import cv2
import numpy as np
import pytest

from dyrelu_pose.inference import PoseInferencer
from dyrelu_pose.inference.demo import Demo
from dyrelu_pose.inference.one_euro import BETA, CUTOFF, SPEED_CUTOFF, OneEuro
from dyrelu_pose.inference.outputs import Drawer
from dyrelu_pose.inference.people_of_video import PeopleOfVideo, box_around
from dyrelu_pose.inference.tracking import PATIENCE, Tracker
from dyrelu_pose.prepare.people.scene import draw_scene

WIDTH, HEIGHT, STEP, FRAMES, FPS = 240, 160, 3, 9, 10


@pytest.fixture(scope="module")
def scene():
    """A wide picture, BGR, and the boxes of its two people: left, top, right, bottom."""
    drawn = draw_scene(np.random.default_rng(16), (WIDTH + FRAMES * STEP, HEIGHT))
    boxes = np.array([person.box for person in drawn.people], float)
    boxes[:, 2:] += boxes[:, :2]
    # Nobody leaves the window that moves over it.
    assert len(boxes) == 2
    assert boxes[:, 0].min() >= FRAMES * STEP
    assert boxes[:, 2].max() < WIDTH
    return np.ascontiguousarray(drawn.picture[..., ::-1]), boxes


class Known:
    """Finds the people where they are drawn, in another order each time; not those left out."""

    def __init__(self, boxes, missed=()):
        self.boxes, self.missed, self.looks = boxes, dict(missed), []

    def at(self, frame):
        """Their boxes in a frame."""
        return self.boxes - [frame * STEP, 0, frame * STEP, 0]

    def __call__(self, picture):
        frame = len(self.looks) * self.every
        self.looks.append(frame)
        found = np.column_stack((self.at(frame), 0.9 - 0.1 * np.arange(len(self.boxes))))
        kept = [i for i in range(len(found)) if i != self.missed.get(frame)]
        return found[kept[:: 1 if frame % 2 else -1]].astype(np.float32)


@pytest.fixture(scope="module")
def pose():
    return PoseInferencer(device="cpu")


def frames(picture):
    return [picture[:, i * STEP : i * STEP + WIDTH] for i in range(FRAMES)]


def owner(box, truths):
    """Which true person a box is of: the nearest middle."""
    left, top, width, height = box
    middle = np.array([left + width / 2, top + height / 2])
    return int(np.linalg.norm((truths[:, :2] + truths[:, 2:]) / 2 - middle, axis=1).argmin())


@pytest.mark.parametrize(
    ("every", "missed", "smooth"), [(1, {}, False), (1, {3: 0, 4: 1}, True), (4, {}, False)]
)
def test_each_person_keeps_a_number(pose, scene, every, missed, smooth, tmp_path, monkeypatch):
    picture, boxes = scene
    path = tmp_path / "walk.mp4"
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    for frame in frames(picture):
        video.write(frame)
    video.release()

    detector = Known(boxes, missed)
    detector.every = every
    monkeypatch.setattr(pose, "detector", detector)
    demo = Demo(
        pose, tmp_path / "out", None, Drawer(pose.person_input.meta, 0.3, True), every, smooth
    )
    demo.video(path, path.relative_to(tmp_path))

    entries = json.loads((tmp_path / "out/walk.keypoints.json").read_text())
    assert detector.looks == list(range(0, FRAMES, every))
    numbers = {}
    for entry in entries:
        person = owner(entry["bbox"], detector.at(entry["image_id"]))
        numbers.setdefault(person, []).append((entry["image_id"], entry["track_id"]))
    assert sorted(numbers) == list(range(len(boxes)))
    for person, seen in numbers.items():
        assert len({number for _, number in seen}) == 1, seen
        left_out = [frame for frame, who in missed.items() if who == person]
        assert [frame for frame, _ in seen] == [i for i in range(FRAMES) if i not in left_out]
    assert len({seen[0][1] for seen in numbers.values()}) == len(boxes)
    written = cv2.VideoCapture(str(tmp_path / "out/walk.mp4"))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES


def test_numbers_are_drawn_beside_the_boxes(pose, scene, monkeypatch):
    picture, boxes = scene
    detector = Known(boxes)
    detector.every = 1
    monkeypatch.setattr(pose, "detector", detector)
    frame = frames(picture)[0]
    sample = PeopleOfVideo(pose, FPS)(frame)
    draw = Drawer(pose.person_input.meta, 1.1, boxes=True)  # no keypoint is as sure
    numbered = draw(frame, sample)
    del sample.pred_instances.track_ids
    plain = draw(frame, sample)
    changed = (numbered != plain).any(axis=2)
    assert changed.any()
    rows, columns = np.nonzero(changed)
    for row, column in zip(rows, columns, strict=True):
        near = (np.abs(boxes[:, :2] - (column, row)) < 24).all(axis=1)
        assert near.any()


def person(column, row, size=100.0, joints=17):
    """Keypoints of somebody standing somewhere (K, 3)."""
    shape = np.random.default_rng(0).uniform(0, size, (joints, 2))
    return np.column_stack((shape + (column, row), np.ones(joints)))


def numbers_of(tracker, time, *people):
    return tracker(np.array(people).reshape(-1, 17, 3), np.full(len(people), 1e4), time).tolist()


def test_numbers_go_by_place_and_new_people_get_new_ones(pose):
    tracker = Tracker(pose.person_input.meta["sigmas"])
    assert numbers_of(tracker, 0.0) == []
    assert numbers_of(tracker, 0.1, person(0, 0), person(300, 0)) == [1, 2]
    assert numbers_of(tracker, 0.2, person(296, 0), person(4, 0)) == [2, 1]
    assert numbers_of(tracker, 0.3, person(8, 0), person(600, 0), person(292, 0)) == [1, 3, 2]
    # One of two that fit the same place has it.
    assert numbers_of(tracker, 0.4, person(14, 0), person(9, 0)) == [4, 1]


def test_somebody_missed_keeps_the_number_for_a_while(pose):
    tracker = Tracker(pose.person_input.meta["sigmas"])
    numbers_of(tracker, 0.0, person(0, 0), person(300, 0))
    assert numbers_of(tracker, PATIENCE / 2, person(0, 0)) == [1]
    assert numbers_of(tracker, PATIENCE, person(0, 0), person(300, 0)) == [1, 2]
    assert numbers_of(tracker, PATIENCE * 2.1, person(0, 0)) == [3]


def test_a_followed_box_is_around_the_sure_keypoints():
    points = np.zeros((17, 3))
    points[:5] = [[10, 20, 1], [30, 20, 0.9], [30, 60, 0.5], [20, 40, 0.3], [90, 90, 0.29]]
    before = np.array([1.0, 2, 3, 4, 0.7])
    np.testing.assert_allclose(box_around(points, before), [7.6, 15.2, 32.4, 64.8, 0.7])
    points[3, 2] = 0.2  # three are too few
    np.testing.assert_array_equal(box_around(points, before), before)


def test_somebody_who_leaves_the_picture_is_not_followed(pose, scene, monkeypatch):
    people = PeopleOfVideo(pose, FPS, every=10)
    monkeypatch.setattr(pose, "detector", lambda picture: np.array([[5, 5, 60, 90, 0.8]]))
    picture = np.ascontiguousarray(scene[0][:, :WIDTH])
    assert people(picture).pred_instances.track_ids.tolist() == [1]
    people._next[:, [0, 2]] -= 70
    assert len(people(picture).pred_instances) == 0
    assert len(people(picture).pred_instances) == 0


def test_two_boxes_that_come_to_be_of_one_person_are_followed_once(pose, scene, monkeypatch):
    people = PeopleOfVideo(pose, FPS, every=10)
    found = np.array([[5, 5, 60, 90, 0.6], [100, 5, 160, 90, 0.8]])
    monkeypatch.setattr(pose, "detector", lambda picture: found)
    picture = np.ascontiguousarray(scene[0][:, :WIDTH])
    assert people(picture).pred_instances.track_ids.tolist() == [1, 2]
    people._next[0, :4] = people._next[1, :4] + 1
    assert people(picture).pred_instances.track_ids.tolist() == [2]


def test_filter_is_that_of_the_paper():
    """Casiez et al. 2012, one coordinate at a time; speeds here are of a point, in sizes."""

    def alpha(cutoff, step):
        return 1 / (1 + 1 / (2 * math.pi * cutoff) / step)

    rng = np.random.default_rng(0)
    track, size, steps = rng.normal(50, 5, (6, 1, 2)), 40.0, [0.1, 0.1, 0.3, 0.1, 0.1]
    smooth = OneEuro()
    time, value, speed = 0.0, track[0, 0], np.zeros(2)
    np.testing.assert_array_equal(smooth(track[0], size, time)[0], value)
    for (point,), step in zip(track[1:], steps, strict=True):
        time += step
        slope = (point - value) / step / size
        speed = alpha(SPEED_CUTOFF, step) * slope + (1 - alpha(SPEED_CUTOFF, step)) * speed
        share = alpha(CUTOFF + BETA * math.hypot(*speed), step)
        value = share * point + (1 - share) * value
        np.testing.assert_allclose(smooth(point[None], size, time)[0], value, rtol=1e-9)


def test_filter_holds_still_points_and_follows_fast_ones():
    rng, size, fps = np.random.default_rng(0), 100.0, 25
    still, fast = OneEuro(), OneEuro()
    noise = rng.normal(0, 0.01 * size, (100, 17, 2))
    steadied = np.array([still(points, size, i / fps) for i, points in enumerate(noise)])
    assert steadied[20:].std() < 0.6 * noise[20:].std()
    walk = np.arange(100)[:, None, None] * size / fps * np.ones((1, 17, 2))  # 1.4 sizes a second
    lag = walk - np.array([fast(points, size, i / fps) for i, points in enumerate(walk)])
    assert 0 < lag[50:].max() < 0.05 * size
