"""Pictures that are missing or of another size are found by their names and headers alone."""

import os

import cv2
import numpy as np
import pytest
from PIL import Image

from dyrelu_pose.datasets import pictures
from dyrelu_pose.datasets.load_image import LoadImage, read_image
from dyrelu_pose.datasets.pictures import damaged_pictures, missing_pictures, other_sizes

WIDTH, HEIGHT = 40, 30


@pytest.fixture
def images(tmp_path):
    """Entries of pictures in two folders below one, of three formats."""
    names = [f"{folder}/{i}.{kind}" for folder in "ab" for i, kind in
             enumerate(("jpg", "png", "webp"))]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return [dict(id=i, file_name=n, width=WIDTH, height=HEIGHT) for i, n in enumerate(names)]


def test_what_fits_passes(images, tmp_path):
    assert missing_pictures(images, tmp_path, "f") is None
    assert other_sizes(images, tmp_path, LoadImage()) is None


def test_missing_pictures_are_named(images, tmp_path):
    (tmp_path / "b/1.png").unlink()
    (tmp_path / "a/0.jpg").unlink()
    (tmp_path / "a/0.jpg").symlink_to(tmp_path / "nowhere.jpg")
    found = missing_pictures(images, tmp_path, "f.json")
    assert str(found).startswith(f"2 of the 6 images of f.json are not in {tmp_path}: a/0.jpg, b/1")
    assert found.few
    assert not missing_pictures(images, tmp_path / "no", "f").few


@pytest.mark.parametrize(
    ("there", "named", "remedy"),
    [("a/u.png", "a\\u.png", "with / instead of"), ("a/u\u0308.png", "a/\u00fc.png", "NFC, NFD")],
    ids=["backslash", "code points"],
)
def test_a_picture_by_nearly_the_same_name(there, named, remedy, images, tmp_path):
    (tmp_path / "a/0.jpg").rename(tmp_path / there)
    images[0].update(file_name=named)
    assert remedy in str(missing_pictures(images, tmp_path, "f"))


def test_a_folder_is_listed_once_and_no_picture_is_looked_for(images, tmp_path, monkeypatch):
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    monkeypatch.setattr(os.path, "isfile", lambda path: pytest.fail("looked for"))
    assert missing_pictures(images, tmp_path, "f") is None
    assert listed == [f"{tmp_path}/a", f"{tmp_path}/b"]


def test_other_sizes_are_named_with_both(images, tmp_path):
    images[4].update(width=80, height=60)
    text = str(other_sizes(images, tmp_path, LoadImage()))
    assert text.startswith(
        f"image {tmp_path}/b/1.png has 40x30 pixels and the annotation file says"
    )
    assert "80x60" in text
    assert text.endswith("(1 of 6 images like this)")


def test_only_what_is_odd_is_decoded(images, tmp_path, monkeypatch):
    decoded = []
    transform = LoadImage.transform
    monkeypatch.setattr(
        LoadImage, "transform", lambda *args: decoded.append(args[1]) or transform(*args)
    )
    images[4].update(width=80)
    assert other_sizes(images, tmp_path, LoadImage()) is not None
    assert [entry["img_path"] for entry in decoded] == [f"{tmp_path}/b/1.png"]


def test_of_many_a_part_is_looked_at_evenly_spaced(images, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "OPENED", 3)
    for image in images:
        image["width"] = 80
    assert str(other_sizes(images, tmp_path, LoadImage())).endswith("(3 of 3 images like this)")
    assert list(pictures.sample(range(10), 4)) == [0, 3, 6, 9]
    assert list(pictures.sample(range(10), 10)) == list(range(10))


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(imdecode_backend="pillow"),
        dict(color_type="color_ignore_orientation"),
        dict(color_type="unchanged"),
    ],
)
def test_the_header_tells_the_shape_that_loading_gives(tmp_path, turn, kind, options):
    tag = Image.Exif()
    tag[0x0112] = turn
    path = tmp_path / f"turned.{kind}"
    Image.new("RGB", (WIDTH, HEIGHT)).save(path, exif=tag)
    load = LoadImage(**options)
    assert load.shape_in_header(path) == load(dict(img_path=str(path)))["img"].shape[:2]


def test_the_error_says_that_a_picture_may_be_turned(tmp_path):
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "turned.jpg", exif=tag)
    entry = dict(file_name="turned.jpg", width=WIDTH, height=HEIGHT)
    assert (
        "30x40 pixels (turned, perhaps by its EXIF tag) and the annotation file says 40x30"
        in str(other_sizes([entry], tmp_path, LoadImage()))
    )
    assert other_sizes(
        [entry], tmp_path, LoadImage(color_type="color_ignore_orientation")
    ) is None  # fmt: skip
    shape = HEIGHT, WIDTH
    assert read_image(tmp_path / "turned.jpg", shape, "color_ignore_orientation").shape[:2] == shape


def test_what_is_no_picture_is_left_to_loading(tmp_path):
    (tmp_path / "text.jpg").write_text("none")
    entry = dict(file_name="text.jpg", width=WIDTH, height=HEIGHT)
    assert other_sizes([entry], tmp_path, LoadImage()) is None


def test_damaged_pictures_are_found_by_their_ends(images, tmp_path, monkeypatch):
    assert damaged_pictures(images, tmp_path, LoadImage()) is None
    paths = [tmp_path / image["file_name"] for image in images]
    paths[1].write_bytes(paths[1].read_bytes()[:-40])
    paths[4].write_text("<!DOCTYPE html>")
    decoded = []
    transform = LoadImage.transform
    monkeypatch.setattr(
        LoadImage, "transform", lambda *args: decoded.append(args[1]) or transform(*args)
    )
    found = damaged_pictures(images, tmp_path, LoadImage())
    assert str(found).startswith(f"image {paths[1]} is truncated; copy it again")
    assert str(found).endswith(" (2 of 6 images are damaged)")
    assert found.few
    # and what begins as neither JPEG nor PNG, of which the ends are not known
    names = {os.path.relpath(entry["img_path"], tmp_path) for entry in decoded}
    assert names == {"a/1.png", "a/2.webp", "b/1.png", "b/2.webp"}


def test_other_formats_are_decoded_to_see_whether_they_are_damaged(tmp_path):
    entries = []
    for kind in ("bmp", "webp"):
        Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / f"whole.{kind}")
        entries.append(dict(file_name=f"whole.{kind}", width=WIDTH, height=HEIGHT))
    assert damaged_pictures(entries, tmp_path, LoadImage()) is None
    entries.append(dict(file_name="gone.jpg"))
    assert "gone.jpg does not exist" in str(damaged_pictures(entries, tmp_path, LoadImage()))
