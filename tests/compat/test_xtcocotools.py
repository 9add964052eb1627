"""The stand-in for xtcocotools: its own rules one by one, and pycocotools' numbers otherwise."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO as PycocoCOCO
from pycocotools.cocoeval import COCOeval as PycocoCOCOeval

from dyrelu_pose.compat.xtcocotools import COCO, COCOeval
from dyrelu_pose.errors import AnnotationError

SIGMAS = np.array([0.05, 0.05])


def person(**fields) -> dict:
    """A person of 40 x 40 pixels with two labelled keypoints, 20 pixels apart."""
    return {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [0, 0, 40, 40],
        "area": 1600,
        "iscrowd": 0,
        "num_keypoints": 2,
        "keypoints": [10, 10, 2, 30, 10, 2],
        **fields,
    }


def detection(shift: float = 0, **fields) -> dict:
    """That person found `shift` pixels too low."""
    keypoints = [10, 10 + shift, 1, 30, 10 + shift, 1]
    return {"image_id": 1, "category_id": 1, "keypoints": keypoints, "score": 0.5, **fields}


def write(path, persons: list[dict], images=(1,)):
    """A COCO file of `persons`."""
    categories = [{"id": 1, "name": "person"}]
    content = {"images": [{"id": i} for i in images], "annotations": persons}
    path.write_text(json.dumps({**content, "categories": categories}))
    return path


def stats(path, detections: list[dict], sigmas=SIGMAS, use_area=True) -> np.ndarray:
    """The ten numbers of the stand-in: AP, AP .5, AP .75, AP (M), AP (L), and the same of AR."""
    truths = COCO(str(path))
    evaluation = COCOeval(truths, truths.loadRes(detections), "keypoints", sigmas, use_area)
    return finish(evaluation)


def pycocotools_stats(path, detections: list[dict], sigmas=SIGMAS) -> np.ndarray:
    truths = PycocoCOCO(str(path))
    evaluation = PycocoCOCOeval(truths, truths.loadRes(detections), "keypoints")
    evaluation.params.kpt_oks_sigmas = sigmas
    return finish(evaluation)


def finish(evaluation) -> np.ndarray:
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return np.array(evaluation.stats)


def shift_for(oks: float, area: float) -> float:
    """The error in pixels that gives `oks`: OKS = exp(-d^2 / (2 * area * (2 * sigma)^2))."""
    return 2 * SIGMAS[0] * np.sqrt(-2 * area * np.log(oks))


@pytest.mark.parametrize("use_area", [True, False])
def test_scale_is_the_area_or_the_box(tmp_path, use_area):
    # An OKS of 0.72 counts at thresholds 0.50, 0.55, 0.60, 0.65 and 0.70: 5 of the 10.
    area = 900 if use_area else 0.53 * 40 * 40
    file = write(tmp_path / "persons.json", [person(area=900)])
    found = stats(file, [detection(shift_for(0.72, area))], use_area=use_area)
    assert found[:3] == pytest.approx([0.5, 1, 0])


def test_medium_and_large_follow_use_area(tmp_path):
    # 2000 pixels is medium (32^2 to 96^2), 0.53 * 200 * 200 = 21200 is large
    file = write(tmp_path / "persons.json", [person(area=2000, bbox=[0, 0, 200, 200])])
    boxed = {"bbox": [0, 0, 200, 200]}
    assert stats(file, [detection(**boxed)], use_area=True)[3:5] == pytest.approx([1, -1])
    assert stats(file, [detection(**boxed)], use_area=False)[3:5] == pytest.approx([-1, 1])


def test_detections_without_a_score_are_left_out(tmp_path):
    file = write(tmp_path / "persons.json", [person()])
    blank = detection(keypoints=[0] * 6, score=0.9)
    assert stats(file, [detection(), blank])[0] == pytest.approx(1)
    assert pycocotools_stats(file, [detection(), blank])[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "unlabelled", [{"keypoints": [0] * 6}, {"iscrowd": 1}], ids=["invisible", "crowd"]
)
def test_unlabelled_persons_are_ignored(tmp_path, unlabelled):
    other = person(id=2, bbox=[500, 500, 40, 40], **unlabelled)
    file = write(tmp_path / "persons.json", [person(), other])
    assert stats(file, [detection()])[[0, 5]] == pytest.approx([1, 1])


@pytest.mark.parametrize("field", ["num_keypoints", "iscrowd"])
def test_optional_fields_may_lack(tmp_path, field):
    bare = person()
    del bare[field]
    file = write(tmp_path / "persons.json", [bare])
    assert stats(file, [detection()])[0] == pytest.approx(1)
    assert COCO(str(file)).getAnnIds(iscrowd=False) == [1]


def test_annotation_zero_can_be_matched(tmp_path):
    far = [110, 110, 2, 130, 110, 2]
    persons = [person(id=0), person(id=1, keypoints=far, bbox=[100, 100, 40, 40])]
    file = write(tmp_path / "persons.json", persons)
    detections = [detection(), detection(keypoints=far)]
    assert stats(file, detections)[0] == pytest.approx(1)
    assert pycocotools_stats(file, detections)[0] < 1


def test_no_detections_is_zero(tmp_path):
    file = write(tmp_path / "persons.json", [person()])
    results = tmp_path / "results.json"
    results.write_text("[]")
    assert stats(file, str(results))[[0, 5]].tolist() == [0, 0]
    assert stats(file, [detection(keypoints=[0] * 6)])[[0, 5]].tolist() == [0, 0]


def test_annotations_are_left_as_they_were(tmp_path):
    truths = COCO(str(write(tmp_path / "persons.json", [person(id=0)])))
    before = json.dumps(truths.dataset)
    for use_area in (False, True):
        finish(COCOeval(truths, truths.loadRes([detection()]), "keypoints", SIGMAS, use_area))
    assert json.dumps(truths.dataset) == before


@pytest.mark.parametrize("seed", range(5))
def test_equals_pycocotools_where_the_rules_agree(tmp_path, seed):
    rng = np.random.default_rng(seed)
    sigmas = rng.uniform(0.02, 0.1, 6)
    persons, detections = [], []
    for image in range(1, 9):
        for _ in range(rng.integers(0, 5)):
            corner, size = rng.uniform(0, 300, 2), rng.uniform(15, 200, 2)
            points = np.c_[corner + size * rng.random((6, 2)), rng.integers(0, 3, 6)]
            box = [*corner.tolist(), *size.tolist()]
            persons.append(
                person(
                    id=len(persons) + 1,
                    image_id=image,
                    bbox=box,
                    area=float(size.prod() * rng.uniform(0.3, 0.8)),
                    iscrowd=int(rng.random() < 0.1),
                    num_keypoints=int((points[:, 2] > 0).sum()),
                    keypoints=points.ravel().tolist(),
                )
            )
            for _ in range(rng.integers(0, 3)):
                points[:, :2] += rng.normal(0, rng.uniform(0, 10), (6, 2))
                points[:, 2] = rng.uniform(0.1, 1, 6)
                found = {"image_id": image, "keypoints": points.ravel().tolist()}
                detections.append(detection(score=float(rng.random()), **found))
    file = write(tmp_path / "persons.json", persons, range(1, 9))
    ours = stats(file, detections, sigmas)
    assert ours.tolist() == pycocotools_stats(file, detections, sigmas).tolist()
    assert 0 < ours[0] < 1


def test_boxes_are_still_pycocotools(tmp_path):
    truths = COCO(str(write(tmp_path / "persons.json", [person()])))
    box = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "score": 1}
    assert finish(COCOeval(truths, truths.loadRes([box]), "bbox"))[0] == pytest.approx(1)


def test_an_unknown_type_is_named():
    with pytest.raises(ValueError, match="'keypoints_hand' is not one of keypoints, .*_foot"):
        COCOeval(None, None, "keypoints_hand")


def test_missing_area_is_named(tmp_path):
    bare = person(id=7)
    del bare["area"]
    file = write(tmp_path / "persons.json", [bare])
    with pytest.raises(AnnotationError, match="annotation 7 has no 'area'.*use_area=False"):
        stats(file, [detection()])
    assert stats(file, [detection()], use_area=False)[0] == pytest.approx(1)


@pytest.mark.parametrize("content", [b'{"images": [', b"\xff\xd8\xff"], ids=["truncated", "jpeg"])
def test_file_that_is_not_json_is_named(tmp_path, content):
    file = tmp_path / "persons.json"
    file.write_bytes(content)
    with pytest.raises(AnnotationError, match="persons.json is not a JSON annotation file"):
        COCO(str(file))
