"""What a pattern that matches no site may have meant."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence


def near_misses(pattern: str, names: Sequence[str]) -> str:
    """Return the patterns closest to one that matches nothing, and where the sites are.

    Args:
        pattern: Glob pattern on site names.
        names: Names of all sites of the model.

    Example:
        >>> near_misses("haed.*", ["backbone.relu1", "head.conv_layers.2"])
        'close: head.*; they are under backbone (1), head (1)'
    """
    parts = Counter(name.partition(".")[0] for name in names)
    places = ", ".join(f"{part} ({count})" for part, count in parts.items()) or "nowhere"
    candidates = dict.fromkeys(_patterns_over(names))
    close = difflib.get_close_matches(pattern, candidates, n=3)
    return (f"close: {', '.join(close)}; " if close else "") + f"they are under {places}"


def _patterns_over(names: Iterable[str]) -> Iterable[str]:
    """Each name, and the pattern of everything under each of its prefixes."""
    for name in names:
        steps = name.split(".")
        yield from (".".join(steps[:depth]) + ".*" for depth in range(1, len(steps)))
        yield name
