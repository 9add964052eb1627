"""Damaged images are refused by name; whole ones load as MMPose loads them."""

import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage as MMPoseLoadImage
from mmpose.registry import TRANSFORMS
from PIL import Image

from dyrelu_pose.datasets.load_image import ImageError, LoadImage, loading_step


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 255, (80, 60, 3), dtype=np.uint8)


@pytest.fixture(params=["jpg", "png"])
def file(request, picture, tmp_path):
    path = tmp_path / f"picture.{request.param}"
    Image.fromarray(picture).save(path)
    return path


def load(path):
    return TRANSFORMS.build(dict(type="LoadImage"))(dict(img_path=str(path)))


def test_loads_what_mmpose_loads(file):
    assert isinstance(TRANSFORMS.build(dict(type="LoadImage")), LoadImage)
    ours, theirs = load(file), MMPoseLoadImage()(dict(img_path=str(file)))
    assert np.array_equal(ours["img"], theirs["img"])


@pytest.mark.parametrize("kind", ["LoadImage", "mmpose.LoadImage", MMPoseLoadImage, LoadImage])
def test_its_step_is_found_however_it_is_given(kind):
    step = loading_step([dict(type="Resize"), dict(type=kind, color_type="grayscale")])
    assert isinstance(step, LoadImage)
    assert step.color_type == "grayscale"


def test_array_needs_no_file(picture):
    results = LoadImage()(dict(img=picture))
    assert results["img"] is picture


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_truncated_file_is_named(file, share):
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImageError, match=rf"image .*{file.name} (is truncated|cannot be decoded)"):
        load(file)


def test_data_after_the_end_is_no_damage(tmp_path, picture):
    path = tmp_path / "camera.jpg"
    Image.fromarray(picture).save(path)
    path.write_bytes(path.read_bytes() + bytes(10_000))
    assert load(path)["img"].shape == (80, 60, 3)


def test_a_header_that_asks_for_too_many_pixels_is_named(file, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ImageError, match=rf"image .*{file.name} cannot be decoded: .*4800 pixels"):
        load(file)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match="no.jpg does not exist; copy it again"):
        load(tmp_path / "no.jpg")


def test_text_is_no_image(tmp_path):
    (tmp_path / "text.jpg").write_text("not an image")
    with pytest.raises(ImageError, match="text.jpg cannot be decoded"):
        load(tmp_path / "text.jpg")
