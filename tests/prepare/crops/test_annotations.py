"""Which persons are cropped: those that MMPose trains on, in its order."""

import json

import pytest
from mmpose.datasets import CocoDataset

from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.crops.annotations import read_persons

IMAGES = [dict(id=i, file_name=f"{i}.jpg", width=100, height=80) for i in (5, 2)]


def person(id, **changes):
    """A person of image 2 with one labelled keypoint."""
    keypoints = [30, 30, 2] + [0] * 48
    return dict(
        dict(id=id, image_id=2, category_id=1, iscrowd=0, bbox=[10, 10, 50, 60],
             num_keypoints=1, keypoints=keypoints),
        **changes,
    )  # fmt: skip


def write(folder, annotations, images=IMAGES):
    path = folder / "persons.json"
    categories = [dict(id=1, name="person")]
    content = dict(images=images, annotations=annotations, categories=categories)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (dict(iscrowd=1), "crowds"),
        (dict(keypoints=[0] * 51, num_keypoints=0), "without keypoints"),
        (dict(num_keypoints=0), "without keypoints"),
        (dict(bbox=[10, 10, 0, 60]), "without a box"),
        (dict(bbox=[99.5, 10, 20, 20]), "without a box"),  # beyond the last pixel's centre
        (dict(image_id=7), "of an unlisted image"),
    ],
)
def test_left_out_and_counted_as_mmpose_does(tmp_path, changes, reason):
    path = write(tmp_path, [person(1), person(2, **changes)])
    persons = read_persons(path)
    assert persons.skipped == {reason: 1}
    loaded = CocoDataset(ann_file=str(path), data_prefix=dict(img=""), pipeline=[])
    assert [loaded[i]["id"] for i in range(len(loaded))] == ids(persons) == [1]


def test_order_is_mmposes(tmp_path):
    """Images as they are listed, and the persons of each as they are listed."""
    of_image = {9: 2, 4: 5, 8: 2, 3: 5}
    path = write(tmp_path, [person(id, image_id=image) for id, image in of_image.items()])
    loaded = CocoDataset(ann_file=str(path), data_prefix=dict(img=""), pipeline=[])
    assert [loaded[i]["id"] for i in range(len(loaded))] == ids(read_persons(path)) == [4, 3, 9, 8]


def ids(persons):
    return [annotation["id"] for _, annotations in persons.by_image for annotation in annotations]


@pytest.mark.parametrize(
    ("annotations", "images", "message"),
    [
        ([], IMAGES, "'annotations' is empty"),
        ([person(1, iscrowd=1)], IMAGES, "nobody to crop: {'crowds': 1}"),
        ([person(1), person(1)], IMAGES, "an annotation id twice"),
        ([person(1)], [dict(id=2, file_name="2.jpg", width=100)], "COCO format: KeyError.'height'"),
    ],
    ids=["nobody", "crowds alone", "same id", "no height"],
)
def test_unusable_files_are_named(tmp_path, annotations, images, message):
    path = write(tmp_path, annotations, images)
    with pytest.raises(UserError, match=f"annotation file {path} .*{message}"):
        read_persons(path)


def test_damaged_json_is_named(tmp_path):
    path = write(tmp_path, [person(1)])
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match=f"annotation file {path} is not valid JSON"):
        read_persons(path)
