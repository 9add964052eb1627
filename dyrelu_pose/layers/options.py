"""Checks of the options of layers, which come from a config."""

from math import isfinite
from numbers import Integral, Real
from typing import Any


def check_whole(layer: str, **options: Any) -> None:
    """Check that options are whole numbers from 1.

    Args:
        layer: Name of the layer.
        **options: Values by name.

    Raises:
        ValueError: One is not; the message names it.
    """
    for name, value in options.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{layer}: {name} must be a whole number from 1, got {value!r}")


def check_number(layer: str, *, zero: bool = False, **options: Any) -> None:
    """Check that options are finite numbers above 0.

    Args:
        layer: Name of the layer.
        zero: Whether they may be 0.
        **options: Values by name.

    Raises:
        ValueError: One is not; the message names it.
    """
    for name, value in options.items():
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not isfinite(value) or value < 0 or value == 0 and not zero:
            lowest = "from 0" if zero else "above 0"
            raise ValueError(f"{layer}: {name} must be a finite number {lowest}, got {value!r}")
