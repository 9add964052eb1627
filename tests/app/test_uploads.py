"""An upload is a picture that is read, or a sentence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dyrelu_pose.app.uploads import MAX_PIXELS, read_upload, uploaded_path
from dyrelu_pose.datasets.load_image import ImageError


def test_a_picture_is_turned_as_its_tag_says(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    Image.fromarray(picture[..., ::-1]).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_upload(tmp_path / "turned.png"), np.rot90(picture, -1))


def png_header(width, height):
    """A PNG of a few bytes that claims a size."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    size = struct.pack(">I", len(chunk) - 4)
    return b"\x89PNG\r\n\x1a\n" + size + chunk + struct.pack(">I", zlib.crc32(chunk)) + end


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "image it.png cannot be decoded"),
        (b"<script>alert(1)</script>", "image it.png cannot be decoded"),
        (png_header(8193, 8192), "image it.png has 8193x8192 pixels, and at most 67 million"),
        (png_header(60_000, 60_000), "image it.png is not decoded: .* exceeds limit"),  # Pillow's
        (png_header(90, 90), "image it.png cannot be decoded"),
    ],
)
def test_anything_else_is_a_sentence_without_the_folder(content, message, tmp_path, monkeypatch):
    path = tmp_path / "it.png"
    path.write_bytes(content)
    if "pixels" in message:  # not even opened by what decodes
        monkeypatch.setattr("dyrelu_pose.app.uploads.read_image", None)
    with pytest.raises(ImageError, match=message) as raised:
        read_upload(path)
    assert str(tmp_path) not in str(raised.value)


def test_half_a_picture(damaged):
    with pytest.raises(ImageError, match="image half.jpg is truncated") as raised:
        read_upload(damaged)
    assert str(damaged.parent) not in str(raised.value)


def test_the_largest_picture_is_one_of_so_many_pixels(picture, tmp_path):
    path = tmp_path / "it.png"
    Image.fromarray(picture).save(path)
    assert read_upload(path, picture[..., 0].size).shape == picture.shape
    with pytest.raises(ImageError, match="make it smaller"):
        read_upload(path, picture[..., 0].size - 1)
    assert MAX_PIXELS > 64e6  # a phone's


@pytest.mark.parametrize("path", [None, 3, "", "../secret.png", "/etc/hostname", "link.png", "a\0"])
def test_a_path_outside_of_the_folder_is_no_upload(path, tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    (tmp_path / "secret.png").touch()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    said = str(folder / path) if path in ("../secret.png", "link.png") else path
    with pytest.raises(ImageError, match="not as a path"):
        uploaded_path(said, folder)


def test_an_upload_is_found(tmp_path):
    file = tmp_path / "a/picture.png"
    assert uploaded_path(str(file), tmp_path) == file.resolve()
