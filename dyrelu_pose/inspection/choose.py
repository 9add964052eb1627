"""Which of a model's sites are drawn."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.inputs import spread
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement import Site, near_misses

ELSEWHERE = 6


def choose(
    model: nn.Module, sites: Sequence[Site], patterns: Sequence[str] | None = None
) -> list[Site]:
    """Return the sites that match any of the patterns, in running order.

    Args:
        model: The model.
        sites: All its sites.
        patterns: Glob patterns on site names, as in a rule. None: all sites in the head, and six
            spread over the depth of the rest; of those with a DyReLU, if there are any.

    Raises:
        UserError: A pattern matches no site, or the model has none.
    """
    names = [site.name for site in sites]
    if not names:
        raise UserError(f"{type(model).__name__} has no activation site to look into")
    if patterns is not None:
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UserError(
                    f"--sites: {pattern!r} matches none of the model's {len(names)} activation "
                    f"sites; {near_misses(pattern, names)}"
                )
        return [s for s in sites if any(fnmatchcase(s.name, pattern) for pattern in patterns)]
    dynamic = [s for s in sites if isinstance(model.get_submodule(s.name), DyReLU)]
    candidates = dynamic or list(sites)
    rest = [site for site in candidates if not site.name.startswith("head.")]
    chosen = [rest[i] for i in spread(len(rest), ELSEWHERE)]
    return chosen + [site for site in candidates if site.name.startswith("head.")]
