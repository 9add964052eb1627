"""Scenes: the labels say what the pixels show."""

import numpy as np
import pytest

from dyrelu_pose.prepare.people.scene import MIN_HEIGHT, MIN_KEYPOINTS, draw_scene
from dyrelu_pose.prepare.people.write import Parameters, draw_image


@pytest.fixture(scope="module")
def scenes():
    return [draw_image(Parameters(), "train", i) for i in range(16)]


@pytest.fixture(scope="module")
def people(scenes):
    return [person for scene in scenes for person in scene.people]


def test_pictures_are_rgb_bytes_with_somebody_in_each(scenes):
    for scene in scenes:
        assert scene.picture.shape == (256, 256, 3)
        assert scene.picture.dtype == np.uint8
        assert 1 <= len(scene.people) <= 4
        assert scene.picture.std() > 10


def test_visible_keypoints_lie_on_the_persons_own_pixels(people):
    for person in people:
        for x, y, v in person.keypoints:
            if v == 2:
                assert person.mask[round(y), round(x)]


def test_unlabelled_keypoints_are_zero_and_labelled_ones_inside(people):
    for person in people:
        labelled = person.keypoints[:, 2] > 0
        assert (person.keypoints[~labelled] == 0).all()
        places = person.keypoints[labelled, :2]
        assert (places >= 0).all()
        assert (places <= 255).all()


def test_boxes_and_areas_are_those_of_the_visible_pixels(people):
    for person in people:
        left, top, width, height = person.box
        inside = person.mask[top : top + height, left : left + width]
        assert inside.sum() == person.mask.sum() == person.area
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()


def test_no_pixel_shows_two_people(scenes):
    for scene in scenes:
        assert sum(person.mask.astype(int) for person in scene.people).max() == 1


def test_everybody_is_large_and_complete_enough_to_label(people):
    for person in people:
        assert person.box[3] >= MIN_HEIGHT * 256
        assert (person.keypoints[:, 2] == 2).sum() >= MIN_KEYPOINTS


def test_the_scenes_hold_what_makes_real_pictures_hard(scenes, people):
    flags = np.concatenate([person.keypoints[:, 2] for person in people])
    assert np.mean(flags == 2) > 0.6
    assert np.mean(flags == 1) > 0.03  # hidden
    assert np.mean(flags == 0) > 0.03  # cut off, or a face from behind
    assert len({len(scene.people) for scene in scenes}) > 2
    heights = [person.box[3] for person in people]
    assert max(heights) > 1.5 * min(heights)


def test_people_hide_one_another():
    """Somebody's hidden joint lies on another person's pixels, somewhere in a few scenes."""
    for i in range(40):
        scene = draw_image(Parameters(), "train", i)
        for person in scene.people:
            others = [other for other in scene.people if other is not person]
            for x, y, v in person.keypoints:
                if v == 1 and any(other.mask[round(y), round(x)] for other in others):
                    return
    pytest.fail("nobody stands in front of anybody in 40 scenes")


@pytest.mark.parametrize("size", [(97, 151), (320, 128)])
def test_other_sizes_work(size):
    scene = draw_scene(np.random.default_rng(3), size)
    assert scene.picture.shape == (size[1], size[0], 3)
    assert scene.people
