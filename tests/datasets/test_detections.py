"""Boxes of a detector: of the annotations' own categories; a bad one is named by file and place."""

import json

import numpy as np
import pytest

from dyrelu_pose.datasets import CocoDataset
from dyrelu_pose.datasets.detections import read_detections
from dyrelu_pose.errors import AnnotationError

from .test_damaged import CONTENT

BOX = dict(image_id=2, category_id=1, bbox=[5.5, 6, 20, 30.25], score=0.75)


def load(tmp_path, boxes, category=1, **options):
    """Return the persons of a data set for evaluation."""
    content = json.loads(json.dumps(CONTENT))
    content["categories"] = [dict(id=category, name="person"), dict(id=9, name="ball")]
    for annotation in content["annotations"]:
        annotation["category_id"] = category
    content["annotations"].append(dict(id=99, image_id=1, category_id=9, bbox=[1, 1, 5, 5]))
    if options.pop("unlabelled", False):
        content["annotations"] = []
    (tmp_path / "val.json").write_text(json.dumps(content))
    (tmp_path / "boxes.json").write_text(boxes if isinstance(boxes, str) else json.dumps(boxes))
    dataset = CocoDataset(
        ann_file=f"{tmp_path}/val.json", bbox_file=f"{tmp_path}/boxes.json",
        data_prefix=dict(img="pictures/"), test_mode=True, **options,
    )  # fmt: skip
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_a_box_is_a_person_of_unknown_keypoints(tmp_path):
    first, second = load(tmp_path, [BOX, dict(BOX, image_id=3, bbox=[1, 2, 3, 4, 0.9])])
    assert (first["id"], first["img_id"], first["category_id"]) == (0, 2, 1)
    assert first["img_path"] == "pictures/2.png"
    assert first["img_shape"] == (80, 60)
    assert first["bbox"].tolist() == [[5.5, 6, 25.5, 36.25]]
    assert first["bbox_score"].tolist() == [0.75]
    assert first["keypoints"].shape == (1, 17, 2)
    assert np.array_equal(second["bbox"], [[1, 2, 4, 6]])
    assert (second["id"], second["img_id"]) == (1, 3)


@pytest.mark.parametrize("category", [0, 1, 2, 17])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_boxes_are_those_of_the_annotations_own_category(tmp_path, category, unlabelled):
    boxes = [dict(BOX, category_id=n) for n in (category, 5)]
    (person,) = load(tmp_path, boxes, category, unlabelled=unlabelled)
    assert person["category_id"] == category


def test_boxes_of_another_category_are_named(tmp_path):
    with pytest.raises(AnnotationError, match="boxes.json .*category 1 only, .*val.json .* of 2:"):
        load(tmp_path, [BOX], 2)


# What is changed in an entry (...: left out), and what the error says.
BAD = [
    (dict(image_id=139), "is of image 139, which is not listed in .*val.json"),
    (dict(image_id="2"), "is of image '2', which"),
    (dict(image_id=[2]), "is of image .2., which"),
    (dict(image_id=...), "has no image_id"),
    (dict(category_id=...), "has no category_id"),
    (dict(category_id="1"), "has the category_id '1', not a number"),
    (dict(score=...), "has no score"),
    (dict(score=None), "has the score None, not a number"),
    (dict(score="0.5"), "has the score '0.5', not a number"),
    (dict(bbox=...), "has no bbox"),
    (dict(bbox=[1, 2, -3, 4]), "has a bbox of -3 x 4 pixels"),
    (dict(bbox=[1, 2, 3, 0]), "has a bbox of 3 x 0 pixels"),
    (dict(bbox=[1, 2, 3]), "has the bbox .1, 2, 3., not four"),
    (dict(bbox=None), "has the bbox None"),
    (dict(category_id=5, score=None), "has the score None"),
    (None, "is None, not a dict"),
    ([1, 2], "is .1, 2., not a dict"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_box_is_named_or_left_out(tmp_path, change, message):
    bad = change
    if isinstance(change, dict):
        bad = {key: value for key, value in {**BOX, **change}.items() if value is not ...}
    boxes = [BOX, BOX, bad, BOX]
    with pytest.raises(AnnotationError, match=f"boxes.json: entry 2 {message}"):
        load(tmp_path, boxes)
    assert len(load(tmp_path, boxes, skip_bad_samples=True)) == 3


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([], "is empty"),
        ({"a": BOX}, "is a dict"),
        ("[{", "is not valid JSON"),
        ("", "is not valid"),
    ],
)
def test_a_file_that_is_no_list_of_boxes(tmp_path, boxes, message):
    with pytest.raises(AnnotationError, match=f"bbox file .*boxes.json {message}"):
        load(tmp_path, boxes)


def test_a_folder_in_place_of_the_boxes_is_named(tmp_path):
    with pytest.raises(AnnotationError, match=f"bbox file {tmp_path}: Is a directory"):
        read_detections(tmp_path, {}, "val.json", False)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ([0.1, 0.2, 0.5, 0.6], "from 0 to 1, and not in pixels"),
        ([30, 40, 55, 75], "out of its picture of 60 x 80 pixels and fits as left, top, right, bo"),
    ],
)
def test_most_boxes_of_another_unit_are_named(tmp_path, box, message):
    odd = dict(BOX, bbox=box)
    with pytest.raises(
        AnnotationError, match="boxes.json: a person of image 2 has the bbox .*" + message
    ):
        load(tmp_path, [BOX, odd, odd])
    assert len(load(tmp_path, [BOX, dict(BOX, bbox=[-3, 0, 66, 85]), odd])) == 3
