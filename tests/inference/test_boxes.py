"""The three forms of a file of boxes mean the same; what is none of them is refused."""

import json

import numpy as np
import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.boxes import Boxes

BOX = [10, 20, 30, 40]
EXPECTED = [[10, 20, 40, 60]]

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


@pytest.mark.parametrize("form", FORMS)
def test_boxes_are_found_by_the_name_of_the_picture(tmp_path, form):
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(FORMS[form]))
    boxes = Boxes(path)
    np.testing.assert_array_equal(boxes["000000000042.png"], EXPECTED)
    assert boxes["another.jpg"].shape == (0, 4)
    assert "000000000042.png" in boxes
    assert "another.jpg" not in boxes


@pytest.mark.parametrize(
    "content",
    [
        '{"a.jpg": [[1, 2, 3]]}',
        '[{"bbox": [1, 2, 3, 4]}]',
        '"a"',
        '{"a.jpg": 3}',
        "{",
        '{"a.jpg": [[1, 2, 0, 4]]}',
    ],
)
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content)
    with pytest.raises(UserError, match="boxes.json: "):
        Boxes(path)
    with pytest.raises(UserError, match="no such file"):
        Boxes(tmp_path / "absent.json")
