"""What pycocotools could not evaluate, or would evaluate wrongly, is named by file and entry."""

import copy
import time

import pytest

from dyrelu_pose.datasets.truths import check_truths
from dyrelu_pose.errors import AnnotationError

from .test_damaged import CONTENT, changed

SECOND = ("annotations", 1)  # whose id is 8
KEYPOINTS = CONTENT["annotations"][1]["keypoints"]

# What is changed, and what the error says.
BAD = [
    ((*SECOND, "area"), ..., "annotation 8 has no area: .*use_area=False"),
    ((*SECOND, "area"), None, "annotation 8 has the area None, not a positive number"),
    ((*SECOND, "area"), -1.5, "annotation 8 has the area -1.5"),
    ((*SECOND, "area"), 0, "annotation 8 has the area 0, no"),
    ((*SECOND, "area"), "1234.5", "annotation 8 has the area '1234.5'"),
    ((*SECOND, "area"), float("nan"), "annotation 8 has the area nan"),
    ((*SECOND, "category_id"), ..., "annotation 8 has the category_id None"),
    ((*SECOND, "category_id"), "1", r"category_id '1', which is not in its 'categories' \(1\)"),
    ((*SECOND, "category_id"), 2, r"category_id 2, which is not in its 'categories' \(1\)"),
    ((*SECOND, "iscrowd"), None, "annotation 8 has the iscrowd None"),
    ((*SECOND, "bbox"), None, "annotation 8 has the bbox None"),
    ((*SECOND, "bbox"), [5, 5, 0, 60], "annotation 8 has a bbox of 0 x 60 pixels"),
    ((*SECOND, "keypoints"), None, "annotation 8 has keypoints that"),
    ((*SECOND, "keypoints"), KEYPOINTS[:-3], "annotation 8 has 16 keypoints, not 17"),
    (("categories",), ..., "no 'categories'"),
    (("categories",), None, "no 'categories'"),
    (("categories",), [], "no 'categories'"),
    (("categories",), [dict(id="1", name="person")], "an id of its 'categories' is not a number"),
    (
        ("categories",),
        [dict(id=3, name="person")],
        r"7 has the category_id 1, .*\(3\) \(and 2 more",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_what_cannot_be_evaluated_is_named(path, value, message):
    with pytest.raises(AnnotationError, match=f"annotation file val.json, .*: .*{message}"):
        check_truths(changed(path, value), "val.json", 17)


def test_all_are_counted():
    content = copy.deepcopy(CONTENT)
    for person in content["annotations"]:
        del person["area"]
    with pytest.raises(AnnotationError, match=r"annotation 7 has no area.* \(and 2 more\)"):
        check_truths(content, "val.json", 17)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*SECOND, "keypoints"), ...),  # left out
        ((*SECOND, "bbox"), ...),
        ((*SECOND, "iscrowd"), ...),
        ((*SECOND, "iscrowd"), True),
        ((*SECOND, "area"), 1e-3),
        (("annotations",), []),
    ],
)
def test_what_can_be_evaluated_passes(path, value):
    check_truths(changed(path, value), "val.json", 17)


def test_categories_may_have_any_number_and_belong_to_boxes_alone():
    content = copy.deepcopy(CONTENT)
    content["categories"] = [dict(id=0, name="document"), dict(id=2**40, name="person")]
    for person in content["annotations"]:
        person["category_id"] = 2**40
    content["annotations"].append(dict(id=10, image_id=1, category_id="box", bbox=[0, 0, 1, 1]))
    check_truths(content, "val.json", 17)


@pytest.mark.parametrize("change", [dict(iscrowd=1), dict(keypoints=[5, 5, 0] * 17)])
def test_who_does_not_count_may_have_no_area_to_speak_of(change):
    content = copy.deepcopy(CONTENT)
    content["annotations"][1].update(change, area=0)
    check_truths(content, "val.json", 17)


def test_by_boxes_areas_are_not_read_but_boxes_are():
    check_truths(changed((*SECOND, "area"), ...), "val.json", 17, use_area=False)
    flat = changed((*SECOND, "bbox"), [5, 5, 0, 60])
    with pytest.raises(AnnotationError, match="annotation 8 has a bbox of 0 x 60 pixels"):
        check_truths(flat, "val.json", 17, use_area=False)


def test_many_are_read_in_no_time():
    content = {**CONTENT, "annotations": CONTENT["annotations"] * 1700}
    start = time.process_time()
    check_truths(content, "val.json", 17)
    assert time.process_time() - start < 2


def test_areas_that_are_shares_of_their_pictures_are_named():
    content = copy.deepcopy(CONTENT)
    for entry in content["annotations"]:
        entry["area"] = entry["area"] / 1e6
    with pytest.raises(AnnotationError, match=r"annotation 7 has the area .*, a share of its pict"):
        check_truths(content, "val.json", 17)
    check_truths(content, "val.json", 17, use_area=False)
