"""Which rule takes which site: the checks that turn a misspelt config into a clear error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from dyrelu_pose.errors import first_of, plural

from .near_misses import near_misses
from .probe import PlacementError, Site

REQUIRED = ("sites", "act")
KEYS = (*REQUIRED, "linear", "fuse_norm")


@dataclass(frozen=True)
class Rule:
    """What to put at the sites that match any of `patterns`; `act=None` keeps the original.

    With `linear` it is a rule for linear sites, and otherwise for activations: never for both.
    With `fuse_norm` the layer also computes the BatchNorm2d in front of it, where there is one.
    """

    index: int
    patterns: tuple[str, ...]
    act: dict | None
    linear: bool = False
    fuse_norm: bool = False

    def __str__(self) -> str:
        return f"rule {self.index} (sites={', '.join(map(repr, self.patterns))})"

    def matches(self, site: Site) -> bool:
        """Tell whether the rule is for such a site, and a pattern of it matches the name."""
        return site.linear == self.linear and any(
            fnmatchcase(site.name, pattern) for pattern in self.patterns
        )


def parse_rules(rules: Sequence[dict]) -> list[Rule]:
    """Check the form of the rules of a config.

    Args:
        rules: Dicts with the keys `sites`, a glob pattern or a list of them, and `act`, the
            config of a registered layer or None; with `linear=True` if it is for linear sites;
            and with `fuse_norm=True` if the layers shall compute the BatchNorm2d in front of
            them as well.

    Returns:
        The rules in the same order.

    Raises:
        PlacementError: A rule has a missing, unknown or ill-typed entry; the message names both.
    """
    if not isinstance(rules, list | tuple):
        raise PlacementError(f"the rules must be a list of dicts, not {type(rules).__name__}")
    return [_parse(index, rule) for index, rule in enumerate(rules)]


def _parse(index: int, rule: dict) -> Rule:
    if not isinstance(rule, dict):
        raise PlacementError(f"rule {index} must be a dict, not {type(rule).__name__}")
    if unknown := set(rule) - set(KEYS):
        raise PlacementError(
            f"rule {index} has the unknown key {min(unknown)!r}; a rule has the keys {KEYS}"
        )
    if missing := set(REQUIRED) - set(rule):
        raise PlacementError(
            f"rule {index} lacks the key {min(missing)!r}; "
            "write dict(sites='backbone.*', act=dict(type='DyReLUB')), or act=None to keep sites"
        )
    sites, act = rule["sites"], rule["act"]
    patterns = (sites,) if isinstance(sites, str) else sites
    if (
        not isinstance(patterns, list | tuple)
        or not patterns
        or not all(isinstance(pattern, str) for pattern in patterns)
    ):
        raise PlacementError(f"rule {index}: sites must be a pattern or a list, not {sites!r}")
    if act is not None and not (isinstance(act, dict) and "type" in act):
        raise PlacementError(f"rule {index}: act must be None or a dict with a type, not {act!r}")
    if act is not None and "channels" in act:
        raise PlacementError(f"rule {index}: each site gives its own channels; remove it from act")
    linear = rule.get("linear", False)
    if not isinstance(linear, bool):
        raise PlacementError(f"rule {index}: linear must be True or False, not {linear!r}")
    fuse_norm = rule.get("fuse_norm", False)
    if not isinstance(fuse_norm, bool) or (fuse_norm and act is None):
        raise PlacementError(
            f"rule {index}: fuse_norm must be True or False, and needs an act: {fuse_norm!r}"
        )
    return Rule(index, tuple(patterns), act, linear, fuse_norm)


def assign(
    rules: Sequence[Rule],
    sites: Sequence[Site],
    invisible: Mapping[str, str] = MappingProxyType({}),
) -> dict[Site, Rule]:
    """Give each site to the first rule that matches it.

    Patterns are those of :func:`fnmatch.fnmatchcase` on the whole site name: `*` crosses dots,
    so `'backbone.*'` is every site of the backbone and `'*.relu1'` the first of every block.

    Args:
        rules: Parsed rules; the first match wins, so exceptions come before what they except.
        sites: All sites of the model.
        invisible: Why there is no site, by the name that it would have.

    Returns:
        The rule of each site that some rule matches.

    Raises:
        PlacementError: A pattern matches no site, or a rule only sites that earlier rules took;
            or a rule wants to place at a site that cannot take a layer.
    """
    taken: dict[Site, Rule] = {}
    for rule in rules:
        _check_patterns(rule, sites, invisible)
        matched = [site for site in sites if rule.matches(site)]
        if all(site in taken for site in matched):
            earlier = sorted({taken[site].index for site in matched})
            raise PlacementError(
                f"{rule} has no effect: every site it matches ({len(matched)}) is taken by "
                f"rule {', '.join(map(str, earlier))}; put the narrower rule first"
            )
        for site in matched:
            taken.setdefault(site, rule)
    _check_obstacles(taken)
    _check_norms(taken)
    return taken


def _check_patterns(rule: Rule, sites: Sequence[Site], invisible: Mapping[str, str]) -> None:
    own = [site.name for site in sites if site.linear == rule.linear]
    others = [site.name for site in sites if site.linear != rule.linear]
    for pattern in rule.patterns:
        if any(fnmatchcase(name, pattern) for name in own):
            continue
        kind, other = ("linear", "activation") if rule.linear else ("activation", "linear")
        if missed := sum(fnmatchcase(name, pattern) for name in others):
            hint = f"with linear={not rule.linear} it matches {plural(missed, f'{other} site')}"
        elif reasons := _reasons(pattern, {} if rule.linear else invisible):
            hint = reasons
        elif not own and not rule.linear:
            hint = "its forward pass runs no activation module, such as nn.ReLU"
        else:
            hint = near_misses(pattern, own)
        raise PlacementError(
            f"rule {rule.index}: {pattern!r} matches none of the model's {len(own)} {kind} sites; "
            f"{hint}"
        )


def _reasons(pattern: str, invisible: Mapping[str, str]) -> str:
    reasons = [reason for name, reason in invisible.items() if fnmatchcase(name, pattern)]
    return first_of(reasons) if reasons else ""


def _check_obstacles(taken: dict[Site, Rule]) -> None:
    blocked = [
        (rule, site.obstacle)
        for site, rule in taken.items()
        if site.obstacle and rule.act is not None
    ]
    if blocked:
        raise PlacementError(
            f"{blocked[0][0]}: {first_of([obstacle for _, obstacle in blocked])}, "
            "or put a rule with act=None for it in front"
        )


def _check_norms(taken: dict[Site, Rule]) -> None:
    for rule in {rule.index: rule for rule in taken.values() if rule.fuse_norm}.values():
        sites = [site for site, own in taken.items() if own is rule]
        if not any(site.norm or site.summed for site in sites):
            raise PlacementError(
                f"{rule}: fuse_norm=True has no effect, as no site of the rule ({len(sites)}) is "
                "the only one to use the output of a BatchNorm2d, or a sum with that; remove it"
            )
