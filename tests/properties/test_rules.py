"""Any pattern places what it matches, by the text of the pattern, or is refused with advice."""

import re
from fnmatch import translate

from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement import PlacementError, place

SITES = ("stem.act", "stage1.0.act", "stage1.1.act", "stage2.0.act", "head.act")
examples = settings(deadline=None, max_examples=80, derandomize=True)


class Net(nn.Module):
    """One activation per site of SITES."""

    def __init__(self):
        super().__init__()
        self.names = SITES
        for site in SITES:
            parent = self
            for part in site.split("."):
                if not hasattr(parent, part):
                    parent.add_module(part, nn.ReLU() if part == "act" else nn.Module())
                parent = getattr(parent, part)

    def forward(self, x):
        for site in self.names:
            x = self.get_submodule(site)(x)
        return x


names = st.text("stage12.0hedac*?[]!-", max_size=12)
patterns = st.one_of(names, st.sampled_from([*SITES, "*", "stage1.*", "*.act", "*.0.*"]))
acts = st.sampled_from([None, dict(type="DyReLUB"), dict(type="PReLU")])


@examples
@given(st.lists(st.tuples(patterns, acts), max_size=3))
def test_the_first_rule_that_matches_a_site_wins(rules):
    net = Net()
    expected = {}
    for site in SITES:
        for pattern, act in rules:
            if re.match(translate(pattern), site):
                expected[site] = act and act["type"]
                break
    try:
        place(net, [dict(sites=p, act=a) for p, a in rules], (4, 4))
    except PlacementError as error:
        assert re.search(r"matches none of the model's 5|has no effect", str(error))
        placed = {}
    else:
        placed = expected
    for site in SITES:
        layer = net.get_submodule(site)
        assert type(layer).__name__ == (placed.get(site) or "ReLU")
        assert not isinstance(layer, DyReLU) or layer.channels == 3


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
keys = st.sampled_from(["sites", "act", "fuse_norm", "site", "type"])


@examples
@given(st.lists(st.dictionaries(keys, json, max_size=4) | json, min_size=1, max_size=2))
def test_malformed_rules_are_refused_and_leave_the_model_alone(rules):
    net = Net()
    try:
        place(net, rules, (4, 4))
    except PlacementError as error:
        assert "rule" in str(error)
    assert all(type(net.get_submodule(site)) is nn.ReLU for site in SITES)
