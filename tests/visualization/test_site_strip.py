"""The strip has a bar for each site, in the colour of what is there."""

import cv2
import numpy as np
import pytest

from dyrelu_pose.layers import DyReLUB, DyReLUC
from dyrelu_pose.placement import Placement, Site
from dyrelu_pose.visualization.site_strip import KEPT, VARIANTS, draw_site_strip


def share(picture, colour):
    """Fraction of a picture's pixels that have a colour, '#rrggbb'."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (picture == rgb).all(2).mean()


@pytest.mark.parametrize("sites", [6, 300])
def test_bars_have_the_colours_of_the_variants(tmp_path, sites):
    layers = [None, DyReLUB(), DyReLUC()]
    placements = [
        Placement(Site(f"stage{3 * i // sites}.{i}", 16, (8, 6), "ReLU"), layers[3 * i // sites])
        for i in range(sites)
    ]
    draw_site_strip(placements, "net", tmp_path / "new" / "strip.png")
    picture = cv2.imread(str(tmp_path / "new" / "strip.png"))[..., ::-1]
    shares = [share(picture, c) for c in (KEPT, VARIANTS["DyReLUB"], VARIANTS["DyReLUC"])]
    assert min(shares) > 0.05
    assert np.ptp(shares) < 0.2 * max(shares)
    left = picture[:, : picture.shape[1] // 3]
    assert share(left, KEPT) > 0.1
    assert share(left, VARIANTS["DyReLUC"]) == 0
