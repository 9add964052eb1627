"""The three forms of a file of boxes mean the same; what is none of them is refused."""

import json
from pathlib import Path

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.boxes import Boxes

BOX = [10, 20, 30, 40]
EXPECTED = [(10, 20, 40, 60)]

FORMS = {
    "annotations": dict(
        images=[dict(id=7, file_name="train/000000000042.jpg"), dict(id=8, file_name="a.b.jpg")],
        annotations=[
            dict(image_id=7, bbox=BOX, category_id=1),
            dict(image_id=7, bbox=[0, 0, 9, 9], category_id=18),  # a dog
        ],
    ),
    "detections": [
        dict(image_id=42, bbox=BOX, score=0.9, category_id=1),
        dict(image_id=42, bbox=[0, 0, 9, 9], score=0.1, category_id=1),
    ],
    "dict": {"000000000042.jpg": [BOX]},
}


def boxes_of(folder, content):
    path = folder / "boxes.json"
    path.write_text(json.dumps(content))
    return Boxes(path)


def found(boxes, *names, folder="in"):
    """Return the boxes of pictures that were found in a folder, None for those not listed."""
    entries = boxes.assign([(Path(folder, name), Path(name)) for name in names])
    return [None if entry is None else entry.boxes for entry in entries]


def in_form(form, names):
    """Boxes of pictures, whose tops tell one from another, in one of the forms."""
    boxes = [[10, i, 30, 40] for i in range(len(names))]
    if form == "dict":
        return {name: [box] for name, box in zip(names, boxes, strict=True)}
    if form == "detections":
        pairs = zip(names, boxes, strict=True)
        return [dict(image_id=name, bbox=box, score=0.9) for name, box in pairs]
    return dict(
        images=[dict(id=9 - i, file_name=name) for i, name in enumerate(names)],
        annotations=[dict(image_id=9 - i, bbox=box) for i, box in enumerate(boxes)],
    )


@pytest.mark.parametrize("form", FORMS)
def test_boxes_are_found_by_the_name_of_the_picture(tmp_path, form):
    boxes = boxes_of(tmp_path, FORMS[form])
    assert found(boxes, "000000000042.png", "another.jpg") == [EXPECTED, None]
    assert boxes.category == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("listed", "pictures", "expected"),
    [
        (["cam1/0001.jpg", "cam2/0001.jpg"], ["cam1/0001.jpg", "cam2/0001.jpg"], [0, 1]),
        (["cam1\\0001.jpg", "cam2\\0001.jpg"], ["cam2/0001.jpg", "cam3/0001.jpg"], [1, None]),
        (["x/cam2/0001.jpg", "0001.jpg"], ["cam2/0001.jpg", "cam1/0001.jpg"], [0, 1]),
        (["cam1/0001.jpg"], ["cam2/0001.jpg"], [None]),
        (["0001.jpg"], ["cam1/0001.jpg"], [0]),
        (["a.png", "a.jpg"], ["a.jpg", "a.png"], [1, 0]),
        (["frame.0001", "frame.0002"], ["frame.0002.jpg", "frame.0001.jpg"], [1, 0]),
        (["v1.5", "v1.6.JPG"], ["v1.6.jpg", "v1.5.jpg", "v1.7.jpg"], [1, 0, None]),
        (["a.jpg"], ["a.jpg", "x/a.jpg"], [0, None]),
        (["Prüfung.jpg"], ["Prüfung.jpg"], [0]),
    ],
)
def test_a_picture_gets_its_own_boxes(tmp_path, form, listed, pictures, expected):
    boxes = boxes_of(tmp_path, in_form(form, listed))
    tops = [None if place is None else place[0][1] for place in found(boxes, *pictures)]
    assert tops == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("listed", "pictures"),
    [(["0001.jpg"], ["cam1/0001.jpg", "cam2/0001.jpg"]), (["x/1.jpg", "y/1.jpg"], ["1.jpg"])],
)
def test_names_that_may_be_of_several_are_refused(tmp_path, form, listed, pictures):
    with pytest.raises(UserError, match=r"boxes.json: \S+ may be \S+ or \S+: .* the folders"):
        found(boxes_of(tmp_path, in_form(form, listed)), *pictures)


def test_the_folder_of_one_picture_tells_which_it_is(tmp_path):
    boxes = boxes_of(tmp_path, in_form("dict", ["x/1.jpg", "y/1.jpg"]))
    assert found(boxes, "1.jpg", folder="in/y") == [[(10, 1, 40, 41)]]


def test_numbers_are_those_of_the_file(tmp_path):
    for form, expected in (("annotations", 9), ("detections", None), ("dict", None)):
        boxes = boxes_of(tmp_path, in_form(form, ["a.jpg"]))
        assert boxes.find(Path("in/a.jpg"), Path("a.jpg")).id == expected
    detections = [dict(image_id=42, bbox=BOX)]
    name = Path("00042.jpg")
    assert boxes_of(tmp_path, detections).find("in" / name, name).id == 42


KINDS = [dict(id=0, name="person"), dict(id=1, name="bicycle")]


@pytest.mark.parametrize(
    ("found", "kinds", "category"),
    [([0], [], 0), ([3, 3], [], 3), ([18, 1, 3], [], 1), ([0, 1], KINDS, 0), ([], [], 1)],
)
def test_the_category_is_that_of_persons_or_the_only_one(tmp_path, found, kinds, category):
    annotations = [dict(image_id=1, bbox=BOX, category_id=number) for number in found]
    images = [dict(id=1, file_name="a.jpg")]
    boxes = boxes_of(tmp_path, dict(images=images, annotations=annotations, categories=kinds))
    assert boxes.category == category
    entry = boxes.find(Path("a.jpg"), Path("a.jpg"))
    assert len(entry.boxes) == found.count(category)


@pytest.mark.parametrize(
    ("found", "message"),
    [([0, 0, 3], "categories 0, 3: leave in those of one"), (["1", "1"], "'1' is not a number")],
)
def test_other_categories_are_named(tmp_path, found, message):
    with pytest.raises(UserError, match=f"boxes.json: .*{message}"):
        boxes_of(tmp_path, [dict(image_id=1, bbox=BOX, category_id=n) for n in found])


@pytest.mark.parametrize(
    "content",
    [
        '{"a.jpg": [[1, 2, 3]]}',
        '[{"bbox": [1, 2, 3, 4]}]',
        '"a"',
        '{"a.jpg": 3}',
        "{",
        '{"a.jpg": [[1, 2, 0, 4]]}',
        '{"images": [], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}',
        '{"images": 3, "annotations": 4}',
        "null",
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content)
    with pytest.raises(UserError, match="boxes.json: "):
        Boxes(path)
    with pytest.raises(UserError, match="no such file"):
        Boxes(tmp_path / "absent.json")


GOOD = dict(image_id=1, bbox=BOX, score=0.9, category_id=1)
IMAGE = dict(id=1, file_name="a.jpg")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(score="0.9"), "entry 2 has the score '0.9', not a number"),
        (dict(score=None), "entry 2 has the score None, not a number"),
        (dict(score=float("nan")), "entry 2 has the score nan, not a number"),
        (dict(bbox=["1", 2, 3, 4]), r"entry 2 has the bbox \['1', 2, 3, 4\], not four numbers"),
        (dict(bbox=[float("inf"), 2, 3, 4]), r"entry 2 has the bbox \[inf, 2, 3, 4\], not four"),
        (dict(bbox=[1, 2, 3]), r"entry 2 has the bbox \[1, 2, 3\], not four numbers"),
        (dict(bbox=None), "entry 2 has the bbox None, not four numbers"),
        (dict(image_id=1.0), "entry 2 has the image_id 1.0, neither a whole number nor a name"),
        (dict(image_id=[1]), r"entry 2 has the image_id \[1\], neither"),
        (dict(category_id=[1]), r"entry 2 has the category_id \[1\], not a whole number"),
    ],
)
def test_one_bad_detection_among_good_ones_is_named(tmp_path, bad, message):
    with pytest.raises(UserError, match=f"boxes.json: {message}"):
        boxes_of(tmp_path, [GOOD, GOOD, GOOD | bad])


@pytest.mark.parametrize(
    ("images", "annotations", "message"),
    [
        ([IMAGE], [dict(id=7, image_id=1)], "annotation 7 has the bbox None"),
        ([IMAGE], [dict(id=7, image_id=2, bbox=BOX)], "annotation 7 is of image 2, which is not"),
        ([IMAGE], [3], "annotation number 0 of the list is 3, not a dict"),
        ([IMAGE, IMAGE | dict(file_name="b.jpg")], [], "a.jpg and b.jpg have the same id, 1"),
        ([IMAGE, dict(id=2)], [], "image 2 has the file_name None"),
        ([IMAGE, dict(file_name="b.jpg")], [], "image number 1 of the list has no id"),
    ],
)
def test_a_bad_entry_of_annotations_is_named(tmp_path, images, annotations, message):
    with pytest.raises(UserError, match=f"boxes.json: {message}"):
        boxes_of(tmp_path, dict(images=images, annotations=annotations))


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([1, 2, 3, 4], "a box of b.jpg has the bbox 1, not four numbers"),
        (None, "b.jpg has None, not a list of boxes"),
    ],
)
def test_a_bad_box_of_a_dict_is_named(tmp_path, boxes, message):
    with pytest.raises(UserError, match=f"boxes.json: {message}"):
        boxes_of(tmp_path, {"a.jpg": [BOX], "b.jpg": boxes})


def test_a_folder_is_not_a_file_of_boxes(tmp_path):
    with pytest.raises(UserError, match="a folder, not a file"):
        Boxes(tmp_path)


def test_boxes_from_0_to_1_are_refused(tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"a.jpg": [[0.1, 0.2, 0.3, 0.9]], "b.jpg": [[0, 0, 1, 1]]}))
    with pytest.raises(UserError, match="boxes.json: .*from 0 to 1, and not in pixels"):
        Boxes(path)
