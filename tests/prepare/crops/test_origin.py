"""The way back to the original images, by numbers derived by hand."""

from dyrelu_pose.prepare.crops import to_original

IMAGES = [
    dict(id=1, origin=dict(image_id=7, offset=[100.0, 50.0], scale=0.5)),
    dict(id=2, origin=dict(image_id=7, offset=[8.0, 9.0], scale=1.0)),
]


def test_crop_over_scale_plus_offset():
    results = [
        dict(image_id=1, score=0.5, keypoints=[10, 20, 0.9, 0, 1, 0.1], bbox=[1, 2, 3, 4]),
        dict(image_id=2, score=0.6, keypoints=[10, 20, 0.9]),
    ]
    assert to_original(results, IMAGES) == [
        dict(
            image_id=7,
            score=0.5,
            # 10 / 0.5 + 100, 20 / 0.5 + 50; scores stay
            keypoints=[120, 90, 0.9, 100, 52, 0.1],
            bbox=[102, 54, 6, 8],
        ),
        dict(image_id=7, score=0.6, keypoints=[18, 29, 0.9]),
    ]
