"""What looks wrong in well-formed annotations is said; what is merely odd is not."""

import copy
import re

import numpy as np
import pytest

from dyrelu_pose.datasets.bad_entries import checked
from dyrelu_pose.datasets.doubts import find_doubts
from dyrelu_pose.errors import AnnotationError

WIDTH, HEIGHT = 240, 320
NUMBER = 20


def person(number):
    """Somebody of 80 x 120 pixels anywhere in a picture, with 4 of 5 points labelled."""
    random = np.random.default_rng(number)
    left, top = random.uniform(0, (WIDTH - 80, HEIGHT - 120)).round(1).tolist()
    points = (random.uniform(0, (80, 120), (5, 2)) + (left, top)).round(1)
    keypoints = np.column_stack([points, [2, 1, 2, 2, 0]])
    keypoints[4, :2] = -9999, 9999  # not labelled
    return dict(
        id=number, image_id=number % 7, category_id=3, bbox=[left, top, 80, 120],
        keypoints=keypoints.ravel().tolist(),
    )  # fmt: skip


@pytest.fixture
def content():
    images = [dict(id=i, file_name=f"{i}.jpg", width=WIDTH, height=HEIGHT) for i in range(7)]
    return dict(images=images, annotations=[person(i) for i in range(100, 100 + NUMBER)])


def change_points(entry, change):
    points = np.reshape(entry["keypoints"], (-1, 3))
    points[:4, :2] = change(points[:4, :2])
    entry["keypoints"] = points.ravel().tolist()


def box_from_0_to_1(entry):
    entry["bbox"] = [v / s for v, s in zip(entry["bbox"], (WIDTH, HEIGHT) * 2, strict=True)]


def corners_from_0_to_1(entry):
    x, y, w, h = entry["bbox"]
    entry["bbox"] = [x / WIDTH, y / HEIGHT, (x + w) / WIDTH, (y + h) / HEIGHT]


def points_from_0_to_1(entry):
    change_points(entry, lambda points: points / (WIDTH, HEIGHT))


def both_from_0_to_1(entry):
    box_from_0_to_1(entry)
    points_from_0_to_1(entry)


def move(entry, x, y):
    entry["bbox"] = [x, y, 80, 120]
    change_points(entry, lambda points: points - points.min(0) + (x, y))


def corners(entry):
    """As left, top, right, bottom, of somebody not at the upper left."""
    x, y = WIDTH - 80 - entry["id"] % 5, HEIGHT - 120 - entry["id"] % 5
    move(entry, x, y)
    entry["bbox"] = [x, y, x + 80, y + 120]


def box_elsewhere(entry):
    move(entry, 10, 20)
    entry["bbox"] = [WIDTH - 60, HEIGHT - 90, 50, 80]


def points_outside(entry):
    change_points(entry, lambda points: points + (WIDTH, 0))
    entry["bbox"] = [0, 0, WIDTH, HEIGHT]
    change_points(entry, lambda points: np.concatenate([[[20, 20]], points[1:]]))


WRONG = [
    (box_from_0_to_1, r"has the bbox \[0\..*\], from 0 to 1, and not in pixels"),
    (corners_from_0_to_1, r"has the bbox \[0\..*\], from 0 to 1, and not in pixels"),
    (points_from_0_to_1, "has keypoints from 0 to 1, and not in pixels"),
    (both_from_0_to_1, r"has the bbox \[0\..*\] and keypoints from 0 to 1, and not in pixels"),
    (
        corners,
        "has .*which reaches out of its picture of 240 x 320 pixels and fits as left, top, right",
    ),
    (box_elsewhere, "has .*which holds none of its 4 labelled keypoints"),
    (points_outside, "has 3 of its 4 labelled keypoints outside of its picture of 240 x 320"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_most_of_a_file_is_an_error(content, change, message):
    for entry in content["annotations"][: NUMBER * 3 // 4]:
        change(entry)
    for skip in (False, True):
        with pytest.raises(AnnotationError, match=rf"^annotation file f: annotation 100 {message}.*"
                           rf"15 of {NUMBER} annotations"):  # fmt: skip
            checked(content, "f", 5, skip)


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_one_of_many_is_named_or_left_out(content, change, message):
    change(content["annotations"][13])
    kept, (note,) = checked(content, "f", 5, skip=False)
    assert kept is content
    assert note.startswith("annotation file f: annotation 113 has ")
    assert f"1 of {NUMBER} annotations like this" in note
    kept, (note,) = checked(content, "f", 5, skip=True)
    assert note.startswith("1 entry of f left out: annotation 113 has ")
    assert [entry["id"] for entry in kept["annotations"]] == [
        *range(100, 113), *range(114, 100 + NUMBER)
    ]  # fmt: skip


def test_who_is_left_out_by_a_number_that_is_wrong_is_named(content):
    """MMPose takes nobody who has num_keypoints 0, whatever the keypoints say."""
    problem = "has 4 labelled keypoints, but num_keypoints 0, for which it is left out"
    for number, message in (
        (1, rf"{problem} \(1 of {NUMBER} annotations like this\)"),
        (NUMBER - 1, rf"{problem} \({NUMBER - 1} of {NUMBER} annotations like this\)"),
    ):
        for entry in content["annotations"][:number]:
            entry["num_keypoints"] = 0
        _, (note,) = checked(content, "f", 5, skip=False)
        assert re.search(f"annotation 100 {message}", note)
    content["annotations"][-1]["num_keypoints"] = 0
    with pytest.raises(AnnotationError, match=f"annotation 100 {problem} .20 of 20 annotations"):
        checked(content, "f", 5, skip=False)


def test_corners_of_a_file_are_seen_where_few_reach_out(content):
    """Boxes in the upper left look alike in both forms."""
    for entry in content["annotations"][3:]:
        move(entry, 4 + entry["id"] % 7, 5)
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["bbox"] = [x, y, x + w, y + h]
    for entry in content["annotations"][:3]:
        corners(entry)
    with pytest.raises(AnnotationError, match="3 of 20 annotations like this"):
        checked(content, "f", 5, skip=False)


def unlabelled(entry):
    entry.update(keypoints=[-5, 1e6, 0] * 5, bbox=[0, 0, 1, 1])


def at_the_border(entry):
    move(entry, WIDTH - 80, HEIGHT - 120)


def a_little_outside(entry):
    move(entry, WIDTH - 80 + 3, HEIGHT - 120 + 3)
    change_points(entry, lambda points: points + (4, 4))


def out_of_the_box(entry):
    """None of the points is inside, by some pixels."""
    x, y, w, h = entry["bbox"]
    change_points(entry, lambda _: np.array([(x, y), (x + w, y), (x, y + h), (x + w, y + h)]))
    entry["bbox"] = [x + 5, y + 5, w - 10, h - 10]


def stands_out_of_the_picture(entry):
    """A box around more than is seen, on all sides."""
    entry["bbox"] = [-30, -30, WIDTH + 60, HEIGHT + 60]


def reaches_out(entry):
    """A box around what is seen of somebody and what is not."""
    move(entry, WIDTH - 60, HEIGHT - 90)
    change_points(entry, lambda points: np.minimum(points, (WIDTH - 1, HEIGHT - 1)))


def fills_the_picture(entry):
    entry["bbox"] = [0, 0, WIDTH, HEIGHT]


def tiny(entry):
    entry["bbox"] = [50, 60, 1, 0.5]
    change_points(entry, lambda _: np.full((4, 2), (50.5, 60.25)))


@pytest.mark.parametrize(
    "change",
    [
        unlabelled, at_the_border, a_little_outside, out_of_the_box, stands_out_of_the_picture,
        reaches_out, fills_the_picture, tiny,
        lambda entry: entry.update(iscrowd=1, bbox=[0, 0, 1, 1]),
        lambda entry: entry.update(num_keypoints=0, keypoints=[0] * 15, bbox=[0, 0, 1, 1]),
        lambda entry: entry.update(num_keypoints=0, iscrowd=1),
        lambda entry: entry.pop("bbox"), lambda entry: entry.pop("keypoints"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("number", [1, NUMBER])
def test_what_is_right_passes(content, change, number):
    before = copy.deepcopy(content)
    for entry in content["annotations"][:number]:
        change(entry)
    assert content != before
    assert find_doubts(content) == []
