"""The printed table is what a reader checks a config with."""

from torch import nn

from dyrelu_pose.placement import Placement, Site, format_sites

PLACEMENTS = [
    Placement(Site("backbone.relu1", 64, (128, 96), "ReLU"), None),
    Placement(Site("backbone.layer1.0.relu3", 256, (64, 48), "ReLU"), nn.PReLU()),
    Placement(Site("head.act", 8, (64, 48), "ReLU6"), nn.PReLU()),
]

TABLE = """\
site                     channels  map (HxW)  original  placed
-----------------------  --------  ---------  --------  ------
backbone.relu1                 64  128x96     ReLU      -
backbone.layer1.0.relu3       256  64x48      ReLU      PReLU
head.act                        8  64x48      ReLU6     PReLU

backbone  2 sites: 1 ReLU (kept), 1 PReLU
head      1 site: 1 PReLU
total     3 sites: 2 PReLU, 1 ReLU (kept)"""


def test_table():
    assert format_sites(PLACEMENTS) == TABLE


def test_table_without_sites():
    assert format_sites([]).endswith("\n\ntotal  0 sites: none")
