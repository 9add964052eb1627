"""Names of stages along an axis of sites; a bar for each site, in the color of what is there."""

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from dyrelu_pose.layers import DyReLUB, DyReLUC
from dyrelu_pose.placement import Placement, Site
from dyrelu_pose.visualization.site_strip import KEPT, VARIANTS, draw_site_strip, label_sites


def share(picture, color):
    """Fraction of a picture's pixels that have a color, '#rrggbb'."""
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return (picture == rgb).all(2).mean()


@pytest.mark.parametrize("sites", [6, 300])
def test_bars_have_the_colors_of_the_variants(tmp_path, sites):
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


def labels(names):
    axes = Figure().subplots()
    label_sites(axes, names)
    return {
        text.get_text(): tick
        for text, tick in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)
    }


def test_a_stage_is_named_once_at_its_middle():
    names = ["backbone.stem", "backbone.layer1.0.relu1", "backbone.layer1.1.relu", "head.0"]
    assert labels(names) == {"backbone.stem": 0, "backbone.layer1": 1.5, "head.0": 3}


def test_a_name_without_room_is_left_out():
    names = ["backbone.relu1", "backbone.relu2", *(f"backbone.stage.{i}" for i in range(200))]
    assert list(labels(names)) == ["backbone.relu1", "backbone.stage"]
