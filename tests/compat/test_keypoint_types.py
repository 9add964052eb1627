"""Keypoint AP of CrowdPose and COCO-WholeBody, against cases that are computed by hand.

A keypoint that is d pixels off has a similarity of exp(-d^2 / (2 A (2 sigma)^2)), where A is the
square of the scale. All of a person's are d^2 = -2 A (2 sigma)^2 ln(OKS) off, which is `off(OKS)`.
AP of one person is the part of the ten thresholds .5, .55, ..., .95 that its OKS reaches.
"""

import numpy as np
import pytest

from dyrelu_pose.compat.xtcocotools import COCO, COCOeval
from dyrelu_pose.errors import AnnotationError

SIGMA, SIDE = 0.05, 100  # pixels
PARTS = {
    "keypoints": 17,
    "foot_kpts": 6,
    "face_kpts": 68,
    "lefthand_kpts": 21,
    "righthand_kpts": 21,
}


def off(oks: float, area: float = SIDE**2) -> float:
    return float(np.sqrt(-2 * area * (2 * SIGMA) ** 2 * np.log(oks)))


def points(count: int, shift: float = 0, visibility: float = 2) -> list[float]:
    """`count` points in a row, `shift` pixels to the right."""
    return [value for i in range(count) for value in (i + shift, 50, visibility)]


def truths(persons: list[dict], **images: float) -> COCO:
    """Persons in pictures 1, 2, ...; of each the crowd index, if there is any."""
    coco = COCO()
    box = dict(bbox=[0, 0, SIDE, SIDE], category_id=1, iscrowd=0)
    ids = range(1, 1 + max(person["image_id"] for person in persons))
    indices = images.get("crowd", [None] * len(ids))
    coco.dataset = {
        "images": [
            {"id": i} | ({} if index is None else {"crowdIndex": index})
            for i, index in zip(ids, indices, strict=True)
        ],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": n, **box, **person} for n, person in enumerate(persons, 1)],
    }
    coco.createIndex()
    return coco


def evaluated(coco: COCO, detections: list[dict], kind: str, count: int, **options) -> np.ndarray:
    found = coco.loadRes([{"category_id": 1, **detection} for detection in detections])
    sigmas = np.full(count, options.pop("sigma", SIGMA))
    evaluation = COCOeval(coco, found, kind, sigmas, **options)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats


# -- CrowdPose

AREA = 0.53 * SIDE**2
CROWD = [dict(image_id=i, num_keypoints=14, keypoints=points(14)) for i in (1, 2, 3)]
FOUND = [  # the first as it is, the second with an OKS of .72, the third somewhere else
    dict(image_id=1, keypoints=points(14), score=0.9),
    dict(image_id=2, keypoints=points(14, off(0.72, AREA)), score=0.8),
    dict(image_id=3, keypoints=points(14, 1000), score=0.7),
]


def crowd_stats(persons, indices=(0.1, 0.5, 0.9), found=FOUND):
    coco = truths(persons, crowd=indices)
    return evaluated(coco, found, "keypoints_crowd", 14, use_area=False)


def test_crowdpose_by_hand(capsys):
    """Thresholds .5 to .7 find two of three persons, and .75 to .95 one, before any mistake.

    Precision is thus 1 up to a recall of 2/3 (67 of the 101 places 0, .01, ...) or 1/3 (34 places).
    """
    stats = crowd_stats(CROWD)
    expected = [(67 + 34) / 2 / 101, 67 / 101, 34 / 101, 1 / 2, 2 / 3, 1 / 3, 1, 0.5, 0]
    assert stats == pytest.approx(expected)
    assert "AP (medium)  = 0.500" in capsys.readouterr().out


def test_crowd_indices_divide_where_crowdposetools_does():
    at_bounds = crowd_stats(CROWD, (0.1999, 0.2, 0.8))
    assert at_bounds[6:] == pytest.approx([1, 0.5, 0])
    assert crowd_stats(CROWD, (0.5, 0.5, 0.5))[6:].tolist() == [-1, pytest.approx(0.5), -1]


def test_crowdpose_leaves_out_who_has_no_visible_keypoint():
    hidden = dict(image_id=1, num_keypoints=0, keypoints=points(14, visibility=1))
    assert crowd_stats([*CROWD, hidden]) == pytest.approx(crowd_stats(CROWD))
    counted = crowd_stats([*CROWD, {**hidden, "num_keypoints": 1}])
    assert counted[4] == pytest.approx(2 / 4)  # AR .5


def test_crowdpose_has_no_ranges_of_area():
    small = [{**person, "bbox": [0, 0, 10, 10]} for person in CROWD]
    found = [{**detection, "keypoints": points(14)} for detection in FOUND]
    assert crowd_stats(small, found=found) == pytest.approx([1] * 9)


@pytest.mark.parametrize(
    ("persons", "indices", "message"),
    [
        (CROWD, (0.1, None, 0.9), "image 2 has no 'crowdIndex'"),
        ([{"image_id": 1, "keypoints": points(14)}], (0.5,), "annotation 1 has no 'num_keypoints'"),
    ],
)
def test_what_crowdpose_needs_is_named(persons, indices, message):
    with pytest.raises(AnnotationError, match=message):
        crowd_stats(persons, indices, FOUND[:1])


# -- COCO-WholeBody

OKS = dict(zip(PARTS, (0.97, 0.72, 0.92, 0.52, 1e-9), strict=True))  # of what is found


def whole(shifts=None, visibility=2.0, **fields) -> dict:
    shifts = shifts or dict.fromkeys(PARTS, 0)
    return {
        "image_id": 1,
        **{name: points(count, shifts[name], visibility) for name, count in PARTS.items()},
        **fields,
    }


@pytest.fixture
def body():
    return truths([whole(area=SIDE**2)])


@pytest.mark.parametrize(
    ("kind", "count", "ap"),
    [
        ("body", 17, 1),
        ("foot", 6, 0.5),
        ("face", 68, 0.9),
        ("lefthand", 21, 0.1),
        ("righthand", 21, 0),
        # (17 x .97 + 6 x .72 + 68 x .92 + 21 x .52) / 133 = .709 reaches .5, .55, .6, .65 and .7
        ("wholebody", 133, 0.5),
    ],
)
def test_wholebody_by_hand(body, kind, count, ap):
    found = whole({name: off(oks) for name, oks in OKS.items()}, score=0.5)
    stats = evaluated(body, [found], f"keypoints_{kind}", count)
    assert stats[0] == pytest.approx(ap)
    assert stats[4] == pytest.approx(ap)  # 100 x 100 pixels are large
    assert stats[3] == -1
    assert stats[5] == pytest.approx(ap)  # AR


def test_sigmas_are_as_given(body):
    found = whole({name: off(oks) for name, oks in OKS.items()}, score=0.5)
    twice = evaluated(body, [found], "keypoints_foot", 6, sigma=2 * SIGMA)
    assert twice[0] == pytest.approx(0.9)  # .72 to the power of 1/4 is .921


def test_a_part_without_labels_is_left_out(body):
    body.dataset["annotations"].append({**whole(area=SIDE**2), **body.anns[1], "id": 2})
    body.dataset["annotations"][1]["face_kpts"] = points(68, visibility=0)
    body.createIndex()
    found = whole(score=0.5)
    assert evaluated(body, [found], "keypoints_face", 68)[5] == pytest.approx(1)
    assert evaluated(body, [found], "keypoints_foot", 6)[5] == pytest.approx(1 / 2)


def test_a_part_that_was_not_found_is_no_mistake(body):
    nothing = whole(score=0.9, face_kpts=points(68, visibility=0))
    found = [nothing, whole(score=0.5)]
    assert evaluated(body, found, "keypoints_face", 68)[0] == pytest.approx(1)


def test_a_part_is_ranked_by_its_own_score(body):
    wrong = whole(dict.fromkeys(PARTS, 1000), score=0.9)
    right = whole(score=0.5)
    assert evaluated(body, [wrong, right], "keypoints_foot", 6)[0] == pytest.approx(1 / 2)
    found = [{**wrong, "foot_score": 0.1}, {**right, "foot_score": 0.8}]
    assert evaluated(body, found, "keypoints_foot", 6)[0] == pytest.approx(1)


def test_a_missing_part_is_named():
    bare = truths([dict(image_id=1, keypoints=points(17), area=1)])
    with pytest.raises(AnnotationError, match="annotation 1 has no 'foot_kpts', which .*_foot"):
        evaluated(bare, [whole(score=0.5)], "keypoints_foot", 6)
