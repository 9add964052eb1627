"""The geometry of a crop, by numbers derived by hand."""

import numpy as np
import pytest

from dyrelu_pose.prepare.crops.geometry import Crop, crop_of


@pytest.mark.parametrize(
    ("crop", "original", "mapped"),
    [
        (Crop(10, 20, 40, 40, 1.0), (10, 20), (0, 0)),
        (Crop(10, 20, 40, 40, 1.0), (15.5, 20), (5.5, 0)),
        # (x - 10 + 0.5) / 2 - 0.5, and 1 for the repeated pixel
        (Crop(10, 20, 40, 40, 0.5), (10, 20), (0.75, 0.75)),
        (Crop(10, 20, 40, 40, 0.5), (14.5, 49), (3, 15.25)),
    ],
)
def test_points(crop, original, mapped):
    np.testing.assert_allclose(crop.points(np.array(original)), mapped)


@pytest.mark.parametrize("scale", [1.0, 0.75, 0.5, 0.37])
def test_pixels_are_where_points_are(scale):
    """In an image whose values are its coordinates, a pixel of the crop says where it came from."""
    x, y = np.meshgrid(np.arange(120.0), np.arange(90.0))
    crop = Crop(7, 11, 101, 67, scale)
    cut = crop.cut(np.dstack([x, y, x]).astype(np.float32))
    inner = slice(2, -2)  # outer pixels are repeated, or averages over a part of a cell
    rows, columns = np.indices(cut.shape[:2])
    mapped = crop.points(cut[..., :2])
    np.testing.assert_allclose(mapped[inner, inner, 0], columns[inner, inner], atol=0.1)
    np.testing.assert_allclose(mapped[inner, inner, 1], rows[inner, inner], atol=0.1)


@pytest.mark.parametrize("scale", [1.0, 0.9, 0.5, 0.31])
def test_the_images_corners_are_inside(scale):
    """So a box that ends at the border is not clipped again, to the centres of outer pixels."""
    crop = Crop(0, 0, 101, 67, scale)
    height, width = crop.cut(np.zeros((67, 101, 3), np.uint8)).shape[:2]
    corners = crop.points(np.array([(0, 0), (100, 66)]))
    assert (corners >= 0).all()
    assert (corners <= (width - 1, height - 1)).all()


@pytest.mark.parametrize(
    ("region", "scale", "rectangle"),
    [
        # margin 1 / scale + 1, and one more pixel on the far side, whose number is the end
        ((20, 30, 40, 50), 1.0, (18, 28, 43 - 18, 53 - 28)),
        ((20, 30, 40, 50), 0.5, (17, 27, 44 - 17, 54 - 27)),
        ((-5, -90, 30, 500), 1.0, (0, 0, 33, 80)),
        ((90, 60, 130, 90), 1.0, (88, 58, 100 - 88, 80 - 58)),
    ],
)
def test_region_is_enlarged_by_what_interpolation_reads_and_clipped(region, scale, rectangle):
    crop = crop_of(np.array(region, float), scale, (100, 80))
    assert crop == Crop(*rectangle, scale)
