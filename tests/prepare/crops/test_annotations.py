"""Which persons are cropped: those that MMPose trains on, in its order."""

import json

import pytest
from mmpose.datasets import CocoDataset

from dyrelu_pose.datasets import CocoDataset as CheckedCocoDataset
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
    ],
)
def test_left_out_and_counted_as_mmpose_does(tmp_path, changes, reason):
    path = write(tmp_path, [person(1), person(2, **changes)])
    persons = read_persons(path, 17)
    assert persons.skipped == {reason: 1}
    loaded = CocoDataset(ann_file=str(path), data_prefix=dict(img=""), pipeline=[])
    assert [loaded[i]["id"] for i in range(len(loaded))] == ids(persons) == [1]


def test_order_is_mmposes(tmp_path):
    """Images as they are listed, and the persons of each as they are listed."""
    of_image = {9: 2, 4: 5, 8: 2, 3: 5}
    path = write(tmp_path, [person(id, image_id=image) for id, image in of_image.items()])
    loaded = CocoDataset(ann_file=str(path), data_prefix=dict(img=""), pipeline=[])
    assert (
        [loaded[i]["id"] for i in range(len(loaded))] == ids(read_persons(path, 17)) == [4, 3, 9, 8]
    )


def ids(persons):
    return [annotation["id"] for _, annotations in persons.by_image for annotation in annotations]


@pytest.mark.parametrize(
    ("annotations", "images", "message"),
    [
        ([], IMAGES, "'annotations' is empty"),
        ([person(1, iscrowd=1)], IMAGES, "nobody to crop: {'crowds': 1}"),
        ([person(1), person(1)], IMAGES, "annotation 1 has the id of another annotation"),
        ([person(1), person(2, image_id=7)], IMAGES, "annotation 2 is of image 7, which is not"),
        ([person(1)], [dict(id=2, file_name="2.jpg", width=100)], "2 has no width and height"),
    ],
    ids=["nobody", "crowds alone", "same id", "unlisted image", "no height"],
)
def test_unusable_files_are_named(tmp_path, annotations, images, message):
    path = write(tmp_path, annotations, images)
    with pytest.raises(UserError, match=f"annotation file {path}:? .*{message}"):
        read_persons(path, 17)


@pytest.mark.parametrize(
    "changes",
    [
        dict(keypoints=[30, 30, 2]),
        dict(keypoints=[30, 30, 3] + [0] * 48),
        dict(image_id="2"),
        dict(bbox=[0.1, 0.2, 0.3, 0.4]),
        dict(bbox=[10, 10, -50, 60]),
    ],
)
def test_the_same_files_are_refused_in_the_same_words_as_in_training(tmp_path, changes):
    path = write(tmp_path, [person(1, **changes)])
    with pytest.raises(UserError) as ours:
        read_persons(path, 17)
    with pytest.raises(UserError) as in_training:
        CheckedCocoDataset(ann_file=str(path), data_prefix=dict(img=""))
    assert str(ours.value) == str(in_training.value)
    path = write(tmp_path, [person(2), person(3), person(1, **changes)])
    assert ids(read_persons(path, 17, skip_bad_samples=True)) == [2, 3]


def test_damaged_json_is_named(tmp_path):
    path = write(tmp_path, [person(1)])
    path.write_text(path.read_text()[:100])
    with pytest.raises(UserError, match=f"annotation file {path} is not valid JSON"):
        read_persons(path, 17)
