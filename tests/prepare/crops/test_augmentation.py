"""What a pipeline may read: the ranges, the region, and that nothing outside of it is read."""

import numpy as np
import pytest
from mmengine.dataset import Compose

from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.crops.augmentation import Augmentation, read_augmentation
from dyrelu_pose.prepare.crops.geometry import crop_of

BOX = dict(type="GetBBoxCenterScale")
WARP = dict(type="TopdownAffine", input_size=(48, 64))
RANDOM = dict(type="RandomBBoxTransform")
HALF = dict(type="RandomHalfBody")
PLAIN = Augmentation((48, 64), 1.25)


@pytest.mark.parametrize(
    ("pipeline", "ranges"),
    [
        ([BOX, WARP], {}),
        ([dict(BOX, padding=1.5), WARP], dict(padding=1.5)),
        # MMPose's defaults
        ([BOX, RANDOM, WARP], dict(shift=0.16, smallest=0.5, largest=1.5, rotation=80.0)),
        ([BOX, HALF, WARP], dict(half_body=1.5)),
        # what is never drawn does not count
        ([BOX, dict(HALF, prob=0.0), WARP], {}),
        ([BOX, dict(RANDOM, shift_prob=0, scale_prob=0, rotate_prob=0), WARP], {}),
        # neither does the range without the 1 of the samples that are not scaled
        (
            [BOX, dict(RANDOM, scale_factor=(1.2, 1.4), scale_prob=0.5), WARP],
            dict(shift=0.16, smallest=1.0, largest=1.4, rotation=80.0),
        ),
    ],
)
def test_ranges_of_a_pipeline(pipeline, ranges):
    assert read_augmentation(pipeline) == Augmentation(**{**vars(PLAIN), **ranges})


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ([dict(type="LoadImage")], "top-down .*this one has LoadImage"),
        ([BOX, RANDOM, RANDOM, WARP], "2 transforms RandomBBoxTransform"),
    ],
)
def test_pipelines_that_are_not_understood_are_refused(pipeline, message):
    with pytest.raises(UserError, match=message):
        read_augmentation(pipeline)


# The box from (0, 0) to (8, 16), centre (4, 8): padded by 1.25 it is 10 x 20, and 15 x 20 at the
# aspect ratio 3 : 4 of the input.
@pytest.mark.parametrize(
    ("ranges", "region"),
    [
        ({}, (4 - 7.5, 8 - 10, 4 + 7.5, 8 + 10)),
        (dict(largest=2.0), (4 - 15, 8 - 20, 4 + 15, 8 + 20)),
        # of the padded box before its aspect ratio is fixed: 1 along x, 2 along y
        (dict(shift=0.1), (4 - 8.5, 8 - 12, 4 + 8.5, 8 + 12)),
        # the half diagonal, 12.5, is reached along both axes
        (dict(rotation=90), (4 - 12.5, 8 - 12.5, 4 + 12.5, 8 + 12.5)),
        # by 30 degrees: x 7.5 cos + 10 sin = 11.495; y its half diagonal is past 36.9 degrees, so
        # 10 cos + 7.5 sin = 12.410
        (dict(rotation=30), (4 - 11.495, 8 - 12.410, 4 + 11.495, 8 + 12.410)),
    ],
)
def test_region(ranges, region):
    augmentation = Augmentation((48, 64), 1.25, **ranges)
    np.testing.assert_allclose(
        augmentation.region(np.array([0, 0, 8, 16.0]), []), region, atol=1e-3
    )


def test_half_body_can_read_beyond_the_box():
    # Two keypoints 8 apart along x: 12 x 0, at the aspect ratio 12 x 16, around their mean (4, 15).
    halves = [np.array([(0, 15), (8, 15)]), np.zeros((0, 2))]
    region = Augmentation((48, 64), 1.25, half_body=1.5).region(np.array([0, 0, 8, 16.0]), halves)
    np.testing.assert_allclose(region, (-3.5, -2, 11.5, 15 + 8))


NEVER = dict(shift_prob=0.0, scale_prob=0.0, rotate_prob=0.0)


@pytest.mark.parametrize("use_udp", [False, True])
@pytest.mark.parametrize(
    "random",
    [
        [RANDOM],
        [dict(RANDOM, **{**NEVER, "shift_prob": 1.0}, shift_factor=0.5)],
        [dict(RANDOM, **{**NEVER, "scale_prob": 1.0}, scale_factor=(0.5, 3.0))],
        [dict(RANDOM, **{**NEVER, "rotate_prob": 1.0}, rotate_factor=40.0)],
        [dict(HALF, prob=1.0, min_total_keypoints=2, min_lower_keypoints=2)],
        [dict(HALF, prob=0.5, min_total_keypoints=2), RANDOM],
    ],
    ids=["default", "shift", "scale", "rotation", "half body", "all"],
)
def test_nothing_outside_of_the_region_is_read(random, use_udp):
    """The warp of a crop at full size equals the warp of the image, for any draw of the numbers."""
    rng = np.random.default_rng(0)
    pipeline = [BOX, *random, dict(WARP, use_udp=use_udp)]
    augmentation, run = read_augmentation(pipeline), Compose(pipeline)
    image = rng.integers(0, 255, (400, 500, 3), dtype=np.uint8)
    inside = 0
    for seed in range(100):
        corner, size = rng.uniform(100, 300, 2), rng.uniform(8, 40, 2)
        box = np.concatenate([corner, corner + size])
        # each half as wide as its person, which its own padding makes wider than the padded box
        points = corner + size * np.column_stack([(0, 1, 0, 1), rng.random(4)])
        crop = crop_of(augmentation.region(box, [points[:2], points[2:]]), 1.0, (500, 400))
        inside += crop.left > 0 and crop.top > 0
        warped = [
            warp(run, seed, picture, box - np.tile(offset, 2), points - offset)
            for picture, offset in ((image, (0, 0)), (crop.cut(image), crop.offset))
        ]
        # single precision moves a sample by 1e-4 pixels: a level now and then, of noise of 255
        assert np.abs(warped[0] - warped[1].astype(int)).max() <= 8
    assert inside > 50


def warp(run, seed, picture, box, points):
    """Draw an augmentation and return the network's input."""
    np.random.seed(seed)
    sample = dict(
        img=picture,
        bbox=box[None].astype(np.float32),
        keypoints=points[None].astype(np.float32),
        keypoints_visible=np.ones((1, 4), np.float32),
        upper_body_ids=[0, 1],
        lower_body_ids=[2, 3],
    )
    return run(sample)["img"]
