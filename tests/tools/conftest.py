"""What the tests of several tools look at."""

import cv2
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def detector(tmp_path):
    """An ONNX file that finds the same two people in every picture."""
    from tests.detection.files import PEOPLE, yolox

    return yolox(tmp_path / "d.onnx", PEOPLE)


@pytest.fixture
def folder(picture, tmp_path):
    """Pictures: in colour, grey, turned by its EXIF tag, and tiny."""
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), picture)
    cv2.imwrite(str(folder / "2.png"), picture[..., 0])
    turned = Image.fromarray(np.ascontiguousarray(picture[..., ::-1].transpose(1, 0, 2)))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "3.jpg", exif=exif)  # 90 x 120 in the file, 120 x 90 as it is seen
    cv2.imwrite(str(folder / "4.png"), picture[:2, :3])
    return folder
