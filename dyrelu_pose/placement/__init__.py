"""Placing activation layers in any model: split shared ones, probe their sites, apply rules."""

from .near_misses import near_misses
from .place import Placement, place
from .probe import PlacementError, Site, probe
from .registry import register_split
from .report import format_sites, with_linear
from .split import split_shared
from .warm_start import install_fresh_start_report

__all__ = [
    "Placement",
    "PlacementError",
    "Site",
    "format_sites",
    "install_fresh_start_report",
    "near_misses",
    "place",
    "probe",
    "register_split",
    "split_shared",
    "with_linear",
]
