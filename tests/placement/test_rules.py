"""A rule either does what it says or ends in an error that names it."""

import pytest

from dyrelu_pose.placement import PlacementError, Site
from dyrelu_pose.placement.rules import assign, parse_rules

B = dict(type="DyReLUB")
SITES = [
    Site("backbone.relu1", 64, (128, 96), "ReLU"),
    Site("backbone.layer1.0.relu1", 64, (64, 48), "ReLU"),
    Site("backbone.layer1.0.relu2", 64, (64, 48), "ReLU"),
    Site("backbone.layer2.0.relu", 128, (32, 24), "ReLU", obstacle="it is shared"),
    Site("head.deconv_layers.2", 256, (64, 48), "ReLU"),
]


def rule(sites, act=B):
    return dict(sites=sites, act=act)


def assigned(*rules):
    return {site.name: taken.index for site, taken in assign(parse_rules(rules), SITES).items()}


def error_of(*rules):
    with pytest.raises(PlacementError) as caught:
        assigned(*rules)
    return str(caught.value)


def test_first_match_wins():
    assert assigned(rule("*.layer1.*.relu1", None), rule(["backbone.layer1.*", "head.*"])) == {
        "backbone.layer1.0.relu1": 0,
        "backbone.layer1.0.relu2": 1,
        "head.deconv_layers.2": 1,
    }


def test_pattern_matches_the_whole_name_and_its_case():
    assert assigned(rule("backbone.relu1")) == {"backbone.relu1": 0}
    assert "'layer1' matches none" in error_of(rule("layer1"))
    assert "'Backbone.*' matches none" in error_of(rule("Backbone.*"))


@pytest.mark.parametrize(
    ("sites", "close"),
    [
        ("backbon.*", "close: backbone.*"),
        ("backbone.layer3.*", "backbone.layer1.*"),
        ("head", "close: head.*"),
        ("neck.*", "they are under backbone (4), head (1)"),
        (["head.*", "backbone.relu9"], "rule 0: 'backbone.relu9' matches none of the model's 5"),
    ],
)
def test_pattern_without_a_site_lists_near_misses(sites, close):
    assert close in error_of(rule(sites))


def test_shadowed_rule_names_the_rule_in_front():
    message = error_of(rule("head.*"), rule("backbone.*", None), rule("backbone.layer1.*"))
    assert message.startswith(
        "rule 2 (sites='backbone.layer1.*') has no effect: every site it matches (2) is taken by "
        "rule 1"
    )


def test_obstacle_counts_only_where_a_layer_would_be_placed():
    assert "it is shared" in error_of(rule("backbone.*"))
    assert assigned(rule("backbone.layer2.*", None), rule("backbone.*"))[SITES[3].name] == 0
    assert SITES[3].name not in assigned(rule("head.*"))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([dict(site="backbone.*", act=B)], "rule 0 has the unknown key 'site'"),
        ([rule("head.*"), dict(sites="backbone.*")], "rule 1 lacks the key 'act'"),
        (["backbone.*"], "rule 0 must be a dict, not str"),
        (rule("backbone.*"), "the rules must be a list of dicts, not dict"),
        ([rule([])], "rule 0: sites must be a pattern or a list, not []"),
        ([rule([3])], "rule 0: sites must be a pattern or a list, not [3]"),
        ([rule("head.*", "DyReLUB")], "rule 0: act must be None or a dict with a type"),
        ([rule("head.*", {})], "rule 0: act must be None or a dict with a type"),
        ([rule("head.*", dict(type="DyReLUB", channels=3))], "each site gives its own channels"),
    ],
)
def test_malformed_rule(rules, message):
    with pytest.raises(PlacementError) as caught:
        parse_rules(rules)
    assert message in str(caught.value)
