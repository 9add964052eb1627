"""Picture files of every usual kind are read as what a viewer shows; others are named."""

import cv2
import numpy as np
import pytest
from PIL import Image

from dyrelu_pose.datasets.load_image import ImageError, read_image

# Four flat quarters, blue first: (H, W, 3) bytes.
QUARTERS = np.zeros((40, 60, 3), np.uint8)
QUARTERS[:20, :30] = 200
QUARTERS[:20, 30:] = (255, 0, 0)
QUARTERS[20:, 30:] = (0, 0, 255)
GREY = cv2.cvtColor(QUARTERS, cv2.COLOR_BGR2GRAY)


def pil(mode="RGB"):
    return Image.fromarray(QUARTERS[..., ::-1].copy()).convert(mode)


def test_a_rotation_by_exif_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: shown turned clockwise by 90 degrees
    pil().save(tmp_path / "turned.png", exif=exif)
    turned = np.rot90(QUARTERS, -1)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), turned)


@pytest.mark.parametrize("name", ["rgba.png", "palette.png", "deep.png", "deep.tif", "x.webp"])
def test_colors_are_kept(tmp_path, name):
    path = tmp_path / name
    if name.startswith("deep"):
        cv2.imwrite(str(path), QUARTERS.astype(np.uint16) * 257)
    else:
        kinds = {"rgba": pil("RGBA"), "palette": pil().quantize(8)}
        kinds.get(path.stem, pil()).save(path, lossless=True)  # of WebP
    np.testing.assert_allclose(read_image(path).astype(int), QUARTERS, atol=1)


@pytest.mark.parametrize("name", ["grey.png", "grey-alpha.png", "grey-deep.png"])
def test_grey_becomes_three_equal_channels(tmp_path, name):
    path = tmp_path / name
    if path.stem == "grey-deep":
        cv2.imwrite(str(path), GREY.astype(np.uint16) * 257)
    else:
        pil("LA" if "alpha" in name else "L").save(path)
    np.testing.assert_allclose(
        read_image(path).astype(int), GREY[..., None] + [[[0, 0, 0]]], atol=1
    )


def test_cmyk_photographs_are_read(tmp_path):
    pil("CMYK").save(tmp_path / "press.jpg", quality=100)
    inner = np.s_[4:16, 4:26]  # away from the edges, where JPEG rings
    difference = read_image(tmp_path / "press.jpg")[inner].astype(int) - QUARTERS[inner]
    assert abs(difference).max() < 12


def test_what_is_no_whole_picture_is_named(tmp_path):
    text = tmp_path / "notes.jpg"
    text.write_text("not a picture")
    with pytest.raises(ImageError, match="notes.jpg cannot be decoded"):
        read_image(text)
    with pytest.raises(ImageError, match="absent.jpg does not exist"):
        read_image(tmp_path / "absent.jpg")
    with pytest.raises(ImageError, match="empty.jpg cannot be decoded"):
        (tmp_path / "empty.jpg").touch()
        read_image(tmp_path / "empty.jpg")
    Image.effect_noise((200, 200), 50).save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    half = tmp_path / "half.jpg"
    half.write_bytes(content[: len(content) // 2])
    with pytest.raises(ImageError, match="half.jpg is truncated"):
        read_image(half)


def test_what_nobody_may_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")

    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dyrelu_pose.datasets.load_image.has_its_end", forbidden)
    with pytest.raises(ImageError, match="a.jpg cannot be decoded"):
        read_image(path)
