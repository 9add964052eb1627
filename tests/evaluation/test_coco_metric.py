"""PycocoMetric: pycocotools' numbers; MMPose's scoring, NMS and keys."""

import json
import re

import numpy as np
import pytest
from pycocotools.coco import COCO as PycocoCOCO
from pycocotools.cocoeval import COCOeval as PycocoCOCOeval

from dyrelu_pose.datasets.bad_entries import check_labelled
from dyrelu_pose.errors import AnnotationError
from dyrelu_pose.evaluation.coco_metric import PycocoMetric

# isort: split
# mmpose imports only once dyrelu_pose has been
from mmengine.evaluator import Evaluator
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmpose.datasets import CocoDataset, CocoWholeBodyDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.evaluation.metrics import CocoMetric, CocoWholeBodyMetric, coco_metric
from mmpose.registry import METRICS

KEYS = [
    *("coco/AP", "coco/AP .5", "coco/AP .75", "coco/AP (M)", "coco/AP (L)"),
    *("coco/AR", "coco/AR .5", "coco/AR .75", "coco/AR (M)", "coco/AR (L)"),
]


@pytest.fixture(scope="module")
def meta():
    return parse_pose_metainfo(CocoDataset.METAINFO)


@pytest.fixture(scope="module")
def annotations():
    """Twelve images of up to four persons of 40 to 200 pixels, some keypoints not labelled."""
    rng = np.random.default_rng(0)
    persons = []
    for image in range(1, 13):
        for _ in range(rng.integers(1, 5)):
            corner, size = rng.uniform(0, 400, 2), rng.uniform(40, 200, 2)
            points = np.c_[
                corner + size * rng.random((17, 2)), rng.choice(3, 17, p=(0.2, 0.2, 0.6))
            ]
            points[points[:, 2] == 0] = 0
            persons.append(
                {
                    "id": len(persons) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": [*corner.tolist(), *size.tolist()],
                    "area": float(0.6 * size.prod()),
                    "iscrowd": 0,
                    "num_keypoints": int((points[:, 2] > 0).sum()),
                    "keypoints": points.ravel().tolist(),
                }
            )
    return {
        "images": [{"id": i, "width": 640, "height": 640} for i in range(1, 13)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": persons,
    }


@pytest.fixture
def ann_file(tmp_path, annotations):
    return write(tmp_path / "persons.json", annotations)


def write(path, content) -> str:
    path.write_text(json.dumps(content))
    return str(path)


def sample(person: dict, points: np.ndarray, scores: np.ndarray, box_score=1.0, id=None) -> dict:
    """What the estimator hands the metric for one box: points (17, 2), scores (17,)."""
    x, y, w, h = person["bbox"]
    box = np.array([[x, y, x + w, y + h]], np.float32)
    return {
        "id": person["id"] if id is None else id,
        "img_id": person["image_id"],
        "category_id": 1,
        "ori_shape": (640, 640),
        "raw_ann_info": person,
        "gt_instances": {
            "bbox_scales": np.array([[w, h]]) * 1.25,
            "bbox_scores": np.array([box_score], np.float32),
        },
        "pred_instances": {
            "keypoints": points[None].astype(np.float32),
            "keypoint_scores": scores[None].astype(np.float32),
            "bboxes": box,
        },
    }


def perfect(annotations) -> list[dict]:
    persons = annotations["annotations"]
    return [sample(p, points_of(p), np.ones(17)) for p in persons]


def points_of(person: dict) -> np.ndarray:
    return np.reshape(person["keypoints"], (17, 3))[:, :2]


def realistic(annotations) -> list[dict]:
    """Noisy keypoints, a second box on some persons, and some boxes where nothing was found."""
    rng = np.random.default_rng(1)
    samples = []
    for person in annotations["annotations"]:
        size = np.sqrt(person["area"])
        for _ in range(rng.integers(1, 3)):
            noise = rng.normal(0, size * rng.uniform(0.005, 0.08), (17, 2))
            scores = rng.uniform(0, 1, 17) * (rng.random() > 0.15)
            found = sample(person, points_of(person) + noise, scores, rng.uniform(0.3, 1))
            samples.append({**found, "id": len(samples)})
    return samples


def evaluate(metric: CocoMetric, meta: dict, samples: list[dict]) -> dict:
    metric.dataset_meta = dict(meta)
    for one in samples:
        metric.process([], [one])
    return metric.evaluate(len(samples))


def pycocotools_stats(ann_file: str, results_file: str) -> list[float]:
    truths = PycocoCOCO(ann_file)
    evaluation = PycocoCOCOeval(truths, truths.loadRes(results_file), "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats.tolist()


@pytest.mark.parametrize("nms_mode", ["oks_nms", "soft_oks_nms", "none"])
@pytest.mark.parametrize("score_mode", ["bbox_keypoint", "bbox"])
def test_equals_pycocotools_on_the_results_file(
    tmp_path, ann_file, annotations, meta, score_mode, nms_mode
):
    prefix = f"{tmp_path}/results"
    metric = PycocoMetric(ann_file, score_mode=score_mode, nms_mode=nms_mode, outfile_prefix=prefix)
    found = evaluate(metric, meta, realistic(annotations))

    assert list(found) == KEYS
    assert list(found.values()) == pycocotools_stats(ann_file, f"{prefix}.keypoints.json")
    assert 0.1 < found["coco/AP"] < 0.9


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_area": False},
        {"score_mode": "bbox_rle", "nms_mode": "soft_oks_nms"},
        {"score_mode": "keypoint", "nms_mode": "none"},
        {"keypoint_score_thr": 0.6, "nms_thr": 0.5},
    ],
    ids=str,
)
def test_equals_mmpose(ann_file, annotations, meta, arguments):
    ours = evaluate(PycocoMetric(ann_file, **arguments), meta, realistic(annotations))
    theirs = evaluate(CocoMetric(ann_file, **arguments), meta, realistic(annotations))
    assert list(ours.items()) == list(theirs.items())


@pytest.mark.parametrize("use_area", [True, False])
def test_perfect_predictions(ann_file, annotations, meta, use_area, capsys):
    found = evaluate(PycocoMetric(ann_file, use_area=use_area), meta, perfect(annotations))
    assert found == pytest.approx(dict.fromkeys(KEYS, 1.0))
    assert capsys.readouterr().out.count("Average Precision") == 5


def test_needs_no_xtcocotools(ann_file, annotations, meta, monkeypatch):
    monkeypatch.setattr(coco_metric, "COCOeval", None)
    found = evaluate(PycocoMetric(ann_file), meta, perfect(annotations))
    assert found["coco/AP"] == pytest.approx(1)


def test_persons_not_found_are_no_false_positives(tmp_path, ann_file, annotations, meta):
    # Three boxes with the best box score, in which the model found no keypoint.
    blanks = [
        sample(person, np.zeros((17, 2)), np.zeros(17), 2.0, id=1000 + person["id"])
        for person in annotations["annotations"][:3]
    ]
    prefix = f"{tmp_path}/results"
    metric = PycocoMetric(ann_file, score_mode="bbox", nms_mode="none", outfile_prefix=prefix)
    found = evaluate(metric, meta, perfect(annotations) + blanks)
    assert found["coco/AP"] == pytest.approx(1)
    results = json.loads((tmp_path / "results.keypoints.json").read_text())
    assert len(results) == len(annotations["annotations"])


def test_nothing_found_is_zero(ann_file, annotations, meta):
    blanks = [sample(p, np.zeros((17, 2)), np.zeros(17)) for p in annotations["annotations"]]
    assert evaluate(PycocoMetric(ann_file), meta, blanks) == dict.fromkeys(KEYS, 0.0)


def test_nms_keeps_the_better_of_two(tmp_path, ann_file, annotations, meta):
    twice = [
        sample(person, points_of(person) + shift, np.full(17, score), id=2 * person["id"] + i)
        for person in annotations["annotations"]
        for i, (shift, score) in enumerate([(0.5, 0.5), (0.0, 0.9)])
    ]
    prefix = f"{tmp_path}/results"
    found = evaluate(PycocoMetric(ann_file, outfile_prefix=prefix), meta, twice)
    results = json.loads((tmp_path / "results.keypoints.json").read_text())
    assert len(results) == len(annotations["annotations"])
    assert [result["score"] for result in results] == pytest.approx([0.9] * len(results))
    assert found["coco/AP"] == pytest.approx(1)


def test_several_persons_in_one_sample(ann_file, annotations, meta):
    """What a bottom-up model predicts: one sample per image, its persons in a batch."""
    by_image = {}
    for person in annotations["annotations"]:
        by_image.setdefault(person["image_id"], []).append(person)
    samples = [
        {
            "id": [person["id"] for person in persons],
            "img_id": image,
            "gt_instances": {},
            "pred_instances": {
                "keypoints": np.stack([points_of(person) for person in persons]),
                "keypoint_scores": np.ones((len(persons), 17)),
            },
        }
        for image, persons in by_image.items()
    ]
    assert evaluate(PycocoMetric(ann_file), meta, samples)["coco/AP"] == pytest.approx(1)


def test_annotations_come_from_the_data_set(annotations, meta):
    # a name of its own: data sets leave the annotation file of "coco" in the MessageHub
    meta = {**meta, "dataset_name": "unread", "CLASSES": annotations["categories"]}
    found = evaluate(PycocoMetric(), meta, perfect(annotations))
    assert found == pytest.approx(dict.fromkeys(KEYS, 1.0))


def test_annotation_file_comes_from_the_data_set(ann_file, annotations, meta):
    MessageHub.get_current_instance().update_info("here_ann_file", ann_file)
    found = evaluate(PycocoMetric(), {**meta, "dataset_name": "here"}, perfect(annotations))
    assert found == pytest.approx(dict.fromkeys(KEYS, 1.0))


def test_converters_apply(ann_file, annotations, meta):
    # the two wrists alone, as a data set of two keypoints
    wrists = {"type": "KeypointConverter", "num_keypoints": 2, "mapping": [(9, 0), (10, 1)]}
    metrics = [
        metric(ann_file, gt_converter=wrists, pred_converter=wrists)
        for metric in (PycocoMetric, CocoMetric)
    ]
    ours, theirs = (evaluate(metric, meta, realistic(annotations)) for metric in metrics)
    assert len(metrics[0].dataset_meta["sigmas"]) == 2
    assert ours == theirs
    assert ours != evaluate(PycocoMetric(ann_file), meta, realistic(annotations))


def test_builds_from_a_config(ann_file, annotations, meta):
    with DefaultScope.overwrite_default_scope("mmpose"):
        metric = METRICS.build({"type": "PycocoMetric", "ann_file": ann_file, "prefix": "val"})
    evaluator = Evaluator([metric])
    evaluator.dataset_meta = dict(meta)
    samples = perfect(annotations)
    evaluator.process(samples)
    assert evaluator.evaluate(len(samples))["val/AP"] == pytest.approx(1)


def test_format_only_leaves_the_file(tmp_path, annotations, meta):
    images = write(tmp_path / "image_info.json", {**annotations, "annotations": []})
    metric = PycocoMetric(images, format_only=True, outfile_prefix=f"{tmp_path}/results")
    assert evaluate(metric, meta, perfect(annotations)) == {}
    results = json.loads((tmp_path / "results.keypoints.json").read_text())
    assert len(results) == len(annotations["annotations"])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (None, "'annotations' is empty"),
        ({}, "persons without keypoints.*instances_"),
        ({"keypoints": [5, 5, 0] * 17}, "every visibility is 0"),
    ],
    ids=["no persons", "no keypoints", "no labels"],
)
def test_unusable_annotations_are_named(tmp_path, annotations, meta, fields, problem):
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}
    persons = [] if fields is None else [box | fields]
    file = write(tmp_path / "unusable.json", {**annotations, "annotations": persons})
    with pytest.raises(AnnotationError, match=f"unusable.json .*{problem}"):
        PycocoMetric(file)

    MessageHub.get_current_instance().update_info("here_ann_file", file)
    metric = PycocoMetric()
    with pytest.raises(AnnotationError, match=f"unusable.json .*{problem}"):
        metric.dataset_meta = {**meta, "dataset_name": "here"}


def test_usable_annotations_pass(annotations):
    unlabelled = {"id": 99, "keypoints": [0] * 51}
    persons = [unlabelled, {"id": 98}, *annotations["annotations"]]
    check_labelled({"annotations": persons}, "persons.json")


@pytest.mark.parametrize("missing", ["keypoints", "bbox"])
@pytest.mark.parametrize("kind", [PycocoMetric, CocoMetric])
def test_persons_that_are_not_trained_on_are_not_evaluated(
    tmp_path, annotations, meta, kind, missing
):
    extra = {**annotations["annotations"][0], "id": 99}
    del extra[missing]
    content = {**annotations, "annotations": [*annotations["annotations"], extra]}
    found = evaluate(kind(write(tmp_path / "more.json", content)), meta, perfect(annotations))
    assert found == pytest.approx(dict.fromkeys(KEYS, 1.0))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(AnnotationError, match="annotation file .*nowhere.json does not exist"):
        PycocoMetric(str(tmp_path / "nowhere.json"))


def test_file_without_annotations_is_named(tmp_path):
    file = write(tmp_path / "images.json", {"images": [], "categories": []})
    with pytest.raises(
        AnnotationError, match=r"images.json'\): Ground truth annotations are required"
    ):
        PycocoMetric(file)


def test_other_iou_types_are_refused(ann_file):
    with pytest.raises(
        ValueError, match="'keypoints_crowd', not 'keypoints_foot'.*WholeBodyMetric"
    ):
        PycocoMetric(ann_file, iou_type="keypoints_foot")


def test_crowdpose_equals_mmpose(tmp_path, annotations, meta):
    images = [{**image, "crowdIndex": i / 12} for i, image in enumerate(annotations["images"])]
    file = write(tmp_path / "crowd.json", {**annotations, "images": images})
    options = dict(iou_type="keypoints_crowd", use_area=False, prefix="crowdpose")
    ours = evaluate(PycocoMetric(file, **options), meta, realistic(annotations))
    theirs = evaluate(CocoMetric(file, **options), meta, realistic(annotations))
    assert list(ours.items()) == list(theirs.items())
    assert 0 < ours["crowdpose/AP(H)"] < 1


@pytest.mark.parametrize("from_file", [True, False], ids=["file", "data set"])
def test_whole_bodies_by_mmpose(tmp_path, annotations, from_file, capsys):
    """Everything is found but the feet, which are 6 of 133 keypoints."""
    counts = {"foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}
    persons, samples = [], []
    for person in annotations["annotations"]:
        corner = [*person["bbox"][:2], 2]
        person = {**person, **{name: corner * count for name, count in counts.items()}}
        values = [value for name in ("keypoints", *counts) for value in person[name]]
        found = np.reshape(values, (133, 3))[:, :2]
        found[17:23] += 10_000
        persons.append(person)
        samples.append(sample(person, found, np.ones(133)))
    content = {**annotations, "annotations": persons}
    file = write(tmp_path / "whole.json", content) if from_file else None
    meta = parse_pose_metainfo(CocoWholeBodyDataset.METAINFO)
    meta = {**meta, "dataset_name": "unread", "CLASSES": annotations["categories"]}
    found = evaluate(CocoWholeBodyMetric(file), meta, samples)
    assert found["coco-wholebody/AP .75"] == pytest.approx(1)
    of_parts = re.findall(
        r"\*keypoints_(\w+)\*.*?0.50:0.95 \| area=   all .*? = +(\S+)",
        capsys.readouterr().out,
        re.S,
    )
    aps = {part: float(ap) for part, ap in of_parts}
    assert aps.pop("foot") == 0
    assert 0.9 <= aps.pop("wholebody") <= 1
    assert aps == dict.fromkeys(("body", "face", "lefthand", "righthand"), 1)
