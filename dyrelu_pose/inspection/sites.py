"""The sites of a trained model, and which of them are drawn."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.inputs import evenly_spaced
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement import Site, near_misses, probe, split_shared

ELSEWHERE = 6


def find_sites(model: nn.Module, input_size: tuple[int, int]) -> list[Site]:
    """Return the sites of a model, each with a module of its own.

    Shared activations are split, in place, in a ReLU model too.

    Args:
        model: A trained model, which computes the same afterwards.
        input_size: Width and height of its input in pixels.

    Returns:
        The sites in running order; without those that several calls share, whose inputs would be
        mixed up.
    """
    split_shared(model)
    return [site for site in probe(model, input_size) if not site.obstacle]


def choose_sites(
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
    chosen = [rest[i] for i in evenly_spaced(len(rest), ELSEWHERE)]
    return chosen + [site for site in candidates if site.name.startswith("head.")]
