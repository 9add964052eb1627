"""Damaged data ends in one clear error, or is left out with a count: never in a wrong target.

Over 200 cases: entries of an annotation file changed by hand and at random, and picture files cut,
emptied, misnamed and of odd kinds.
"""

import copy
import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.datasets import CombinedDataset
from PIL import Image

from dyrelu_pose.datasets import CocoDataset, LoadImage
from dyrelu_pose.errors import UserError

WIDTH, HEIGHT = 60, 80
pytestmark = pytest.mark.long

CODEC = dict(type="MSRAHeatmap", input_size=(48, 64), heatmap_size=(12, 16), sigma=1)
PIPELINE = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="TopdownAffine", input_size=CODEC["input_size"]),
    dict(type="GenerateTarget", encoder=CODEC),
    dict(type="PackPoseInputs"),
]


def person(number, image):
    places = np.random.default_rng(number).uniform(5, 50, (17, 2)).round(1)
    keypoints = np.column_stack((places, np.full(17, 2))).ravel().tolist()
    return dict(
        id=number, image_id=image, category_id=1, iscrowd=0, bbox=[5, 5, 45, 60], area=1400,
        num_keypoints=17, keypoints=keypoints,
    )  # fmt: skip


CONTENT = dict(
    images=[dict(id=i, file_name=f"{i}.png", width=WIDTH, height=HEIGHT) for i in (1, 2, 3)],
    annotations=[person(number, image) for number, image in ((7, 1), (8, 2), (9, 3))],
    categories=[dict(id=1, name="person")],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for image in CONTENT["images"]:
        cv2.imwrite(str(folder / image["file_name"]), picture)
    return folder


def load(folder, content, **options):
    """Return the samples of a data set in training, each looked at."""
    path = folder / "persons.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    dataset = CocoDataset(
        ann_file=str(path), data_prefix=dict(img=f"{folder}/"), pipeline=PIPELINE, **options
    )
    samples = [dataset[i] for i in range(len(dataset))]
    for sample in samples:
        labels = sample["data_samples"]
        assert labels.gt_fields.heatmaps.isfinite().all()
        weights = labels.gt_instance_labels.keypoint_weights
        assert ((weights == 0) | (weights == 1)).all()
        assert labels.gt_fields.heatmaps.max() <= 1
    return samples


def changed(path, value):
    """CONTENT with the entry at a path replaced; `...` removes it."""
    content = copy.deepcopy(CONTENT)
    *parents, last = path
    entry = content
    for key in parents:
        entry = entry[key]
    if value is ...:
        del entry[last]
    else:
        entry[last] = value
    return content


FIRST = ("annotations", 0)
IMAGE = ("images", 0)
KEYPOINTS = CONTENT["annotations"][0]["keypoints"]

# What is changed, and what the error says. None: MMPose leaves the person out by itself.
BAD = [
    ((*FIRST, "id"), ..., "has no id"),
    ((*FIRST, "id"), "seven", "annotation seven has the id 'seven', a string"),
    ((*FIRST, "id"), 7.0, "annotation number 0 of the list has the id 7.0, not a whole number"),
    ((*FIRST, "id"), True, "has the id True, not a whole number"),
    ((*FIRST, "id"), 8, "annotation 8 has the id of another annotation"),
    ((*FIRST, "image_id"), ..., "has no image_id"),
    ((*FIRST, "image_id"), 44, "annotation 7 is of image 44, which is not listed"),
    ((*FIRST, "image_id"), "1", "annotation 7 has the image_id '1', a string"),
    ((*FIRST, "iscrowd"), "0", "has the iscrowd '0', a string"),
    ((*FIRST, "num_keypoints"), "0", "has the num_keypoints '0', a string"),
    ((*FIRST, "category_id"), ..., "has no category_id"),
    ((*FIRST, "bbox"), [5, 5, 45], "has the bbox .5, 5, 45., not four numbers"),
    ((*FIRST, "bbox"), [5, 5, math.nan, 60], "not four numbers"),
    ((*FIRST, "bbox"), [5, 5, math.inf, 60], "not four numbers"),
    ((*FIRST, "bbox"), [5, 5, -45, 60], "has a bbox of -45 x 60 pixels"),
    ((*FIRST, "bbox"), [5, 5, "45", 60], "not four numbers"),
    ((*FIRST, "bbox"), None, "not four numbers"),
    ((*FIRST, "bbox"), {}, "not four numbers"),
    ((*FIRST, "keypoints"), KEYPOINTS[:48], "annotation 7 has 16 keypoints, not 17"),
    ((*FIRST, "keypoints"), KEYPOINTS + [1, 1, 2], "has 18 keypoints, not 17"),
    ((*FIRST, "keypoints"), KEYPOINTS[:50], "has 16.6667 keypoints, not 17"),
    ((*FIRST, "keypoints"), [], "has 0 keypoints"),
    ((*FIRST, "keypoints"), None, "not all numbers"),
    ((*FIRST, "keypoints"), [math.nan, *KEYPOINTS[1:]], "not all numbers"),
    ((*FIRST, "keypoints"), [None, *KEYPOINTS[1:]], "not all numbers"),
    (
        (*FIRST, "keypoints"),
        [*KEYPOINTS[:2], 3, *KEYPOINTS[3:]],
        "visibility other than 0, 1 and 2: 3",
    ),
    ((*FIRST, "keypoints"), [*KEYPOINTS[:2], -1, *KEYPOINTS[3:]], "visibility other than 0, 1"),
    ((*FIRST, "keypoints"), [*KEYPOINTS[:2], 0.5, *KEYPOINTS[3:]], "visibility other than 0, 1"),
    (FIRST, None, "annotation number 0 of the list is not a dict"),
    (FIRST, [1, 2], "is not a dict"),
    ((*IMAGE, "id"), ..., "image number 0 of the list has no id"),
    ((*IMAGE, "id"), 2, "image 2 has the id of another image"),
    ((*IMAGE, "file_name"), ..., "image 1 has no file_name"),
    ((*IMAGE, "file_name"), 5, "image 1 has the file_name 5, not a string"),
    ((*IMAGE, "width"), ..., "image 1 has no width and height"),
    ((*IMAGE, "height"), 0, "image 1 has a width and height of 60 and 0, not numbers of pixels"),
    ((*IMAGE, "width"), "60", "image 1 has a width and height of '60' and 80, not numbers"),
    ((*IMAGE, "height"), math.nan, "has a width and height of 60 and nan, not numbers"),
    (IMAGE, None, "image number 0 of the list is not a dict"),
    ((*FIRST, "bbox"), ..., None),
    ((*FIRST, "bbox"), [100, 100, 20, 20], None),  # outside of the image
    ((*FIRST, "bbox"), [5, 5, 0, 60], None),
    ((*FIRST, "keypoints"), ..., None),
    ((*FIRST, "num_keypoints"), 0, None),
    ((*FIRST, "iscrowd"), 1, None),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_bad_entries_are_named_or_left_out(folder, path, value, message):
    content = changed(path, value)
    if message is not None:
        with pytest.raises(UserError, match=f"persons.json: .*{message}"):
            load(folder, content)
    assert len(load(folder, content, skip_bad_samples=True)) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "{}", '{"images": []}', '{"images": 3, "annotations": []}']
)
def test_files_that_are_no_annotations_are_named(folder, content):
    with pytest.raises(UserError, match="persons.json"):
        load(folder, content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*FIRST, "bbox"), [-10, -20, 90, 120]),  # sticks out of the image
        ((*FIRST, "bbox"), [5.5, 5.25, 1e-3, 60]),
        ((*FIRST, "keypoints"), [1e6, -1e6, *KEYPOINTS[2:]]),
        ((*FIRST, "area"), ...),
        ((*FIRST, "iscrowd"), ...),
        ((*FIRST, "num_keypoints"), ...),
        (("categories",), ...),
    ],
)
def test_odd_entries_that_mmpose_takes_are_taken(folder, path, value):
    assert len(load(folder, changed(path, value))) == 3


paths = st.sampled_from(
    [(*FIRST, key) for key in CONTENT["annotations"][0]]
    + [(*IMAGE, key) for key in CONTENT["images"][0]]
    + [(*FIRST, "bbox", i) for i in range(4)]
    + [(*FIRST, "keypoints", i) for i in range(51)]
    + [FIRST, IMAGE, ("images",), ("annotations",), ("categories",)]
)
values = st.one_of(
    st.just(...), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
    st.lists(st.integers(-5, 99), max_size=4), st.dictionaries(st.text(max_size=2), st.none()),
)  # fmt: skip


@settings(deadline=None, max_examples=40, derandomize=True)
@given(path=paths, value=values)
def test_random_changes_end_in_sound_targets_or_one_error(folder, path, value):
    content = changed(path, value)
    for options in ({}, dict(skip_bad_samples=True)):
        try:
            load(folder, content, **options)
        except UserError as error:
            assert "persons.json" in str(error) or "image " in str(error)


# Pictures


def encoded(kind, **options):
    image = Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB")
    import io

    file = io.BytesIO()
    image.convert(options.pop("mode", "RGB")).save(file, kind, **options)
    return file.getvalue()


JPEG, PNG = encoded("JPEG"), encoded("PNG")
CUT = [
    pytest.param(content[: len(content) * share // 20], id=f"{kind}-{share}-twentieths")
    for kind, content in (("jpeg", JPEG), ("png", PNG))
    for share in range(20)
]


@pytest.mark.parametrize("content", CUT)
def test_cut_pictures_are_named_or_left_out(folder, content):
    with_damage(folder, content)


@pytest.mark.parametrize(
    "content",
    [b"GIF89a", b"\0" * 5000, b"<html></html>", b"\xff\xd8\xff\xd9", b"\x89PNG" + b"x" * 100],
)
def test_what_is_no_picture_is_named_or_left_out(folder, content):
    with_damage(folder, content)


def with_damage(folder, content):
    """Load the data with one file replaced."""
    path = folder / "damaged.png"
    path.write_bytes(content)
    changed_name = changed((*IMAGE, "file_name"), path.name)
    with pytest.raises(UserError, match="image .*damaged.png"):
        load(folder, changed_name)
    samples = load(folder, changed_name, skip_bad_samples=True)
    assert len(samples) == 3  # another person in its place
    assert all(not s["data_samples"].img_path.endswith("damaged.png") for s in samples)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(encoded("JPEG", mode="CMYK"), id="cmyk"),
        pytest.param(encoded("JPEG", mode="L"), id="grey"),
        pytest.param(encoded("PNG", mode="RGBA"), id="alpha"),
        pytest.param(encoded("PNG", mode="1"), id="bits"),
        pytest.param(encoded("PNG", mode="P"), id="palette"),
        pytest.param(encoded("BMP"), id="another format than its name says"),
        pytest.param(encoded("WEBP"), id="webp"),
    ],
)
def test_odd_kinds_of_pictures_are_read(folder, content):
    (folder / "odd.png").write_bytes(content)
    assert len(load(folder, changed((*IMAGE, "file_name"), "odd.png"))) == 3


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000)])
def test_pictures_of_odd_shapes_are_read(folder, size):
    Image.new("RGB", size).save(folder / "thin.png")
    content = changed((*IMAGE, "file_name"), "thin.png")
    content["images"][0].update(width=size[0], height=size[1])
    assert len(load(folder, content)) >= 2  # MMPose leaves out a box without an inside


@pytest.mark.parametrize("kind", ["LoadImage", "mmpose.LoadImage", LoadImage])
@pytest.mark.parametrize("inside", [0, 1])  # steps of the inner pipeline
def test_pictures_are_left_out_wherever_they_are_loaded(folder, kind, inside):
    path = folder / "persons.json"
    path.write_text(json.dumps(changed((*IMAGE, "file_name"), "gone.png")))
    pipeline = [dict(type=kind), *PIPELINE[1:]]
    part = dict(
        type="CocoDataset", ann_file=str(path), data_prefix=dict(img=f"{folder}/"),
        pipeline=pipeline[:inside], skip_bad_samples=True,
    )  # fmt: skip
    dataset = CombinedDataset(CocoDataset.METAINFO, [part], pipeline[inside:])
    assert {dataset[i]["data_samples"].img_id for i in range(3)} == {2, 3}


def test_skipped_pictures_are_counted_in_the_log(folder, caplog):
    (folder / "gone.png").unlink(missing_ok=True)
    content = changed((*IMAGE, "file_name"), "gone.png")
    path = folder / "persons.json"
    path.write_text(json.dumps(content))
    dataset = CocoDataset(
        ann_file=str(path), data_prefix=dict(img=f"{folder}/"), pipeline=PIPELINE,
        skip_bad_samples=True,
    )  # fmt: skip
    dataset[0], dataset[0]
    assert dataset.pipeline.transforms[0].skipped >= 2


def test_pictures_of_another_size_are_named_or_left_out(folder):
    content = changed((*IMAGE, "width"), 2 * WIDTH)
    with pytest.raises(
        UserError, match="1.png has 60x80 pixels and the annotation file says 120x80"
    ):
        load(folder, content)
    samples = load(folder, content, skip_bad_samples=True)
    assert all(not s["data_samples"].img_path.endswith("1.png") for s in samples)
    bottomup = dict(data_mode="bottomup", pipeline=PIPELINE[:1])
    with pytest.raises(
        UserError, match="1.png has 60x80 pixels and the annotation file says 120x80"
    ):
        CocoDataset(
            ann_file=str(folder / "persons.json"), data_prefix=dict(img=f"{folder}/"), **bottomup
        )[0]


def test_pictures_are_compared_after_they_are_turned(folder):
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(folder / "turned.jpg", exif=tag)
    assert len(load(folder, changed((*IMAGE, "file_name"), "turned.jpg"))) == 3


def test_evaluation_never_leaves_a_picture_out(folder):
    content = changed((*IMAGE, "file_name"), "gone.png")
    with pytest.raises(UserError, match="gone.png does not exist"):
        load(folder, content, skip_bad_samples=True, test_mode=True)
