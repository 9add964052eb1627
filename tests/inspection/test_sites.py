"""Which sites are drawn."""

import pytest

from dyrelu_pose.errors import UserError
from dyrelu_pose.inspection import choose_sites

from .conftest import KEPT, PLAIN, load_with_sites


@pytest.fixture(scope="module")
def loaded(cfg, checkpoint):
    return load_with_sites(cfg, checkpoint)


def test_default_is_spread_over_the_backbone_and_all_of_the_head(loaded):
    names = [site.name for site in choose_sites(*loaded)]
    backbone = [name for name in names if name.startswith("backbone.")]
    everything = [site.name for site in loaded[1]]
    assert len(backbone) == 6
    assert KEPT not in names
    assert backbone[-1] == [n for n in everything if n.startswith("backbone.")][-1]
    assert names[6:] == [name for name in everything if name.startswith("head.")]


def test_patterns_reach_sites_without_dyrelu(loaded):
    assert [site.name for site in choose_sites(*loaded, [PLAIN, KEPT])] == [KEPT, PLAIN]


def test_model_without_dyrelu(cfg, relu_checkpoint):
    relu = cfg.copy()
    relu.model = {**cfg.model, "dyrelu": []}
    model, sites = load_with_sites(relu, relu_checkpoint)
    assert {site.kind for site in choose_sites(model, sites)} == {"ReLU", "ReLU6"}


def test_a_pattern_without_a_site_lists_near_misses(loaded):
    with pytest.raises(UserError, match=r"--sites: 'haed\.\*' matches none .* close: head\.\*"):
        choose_sites(*loaded, ["backbone.*", "haed.*"])
