"""One file per figure; each function returns a Matplotlib figure."""

from .band import draw_band
from .functions import draw_functions
from .maps import draw_maps
from .slope_gaps import draw_slope_gaps

__all__ = ["draw_band", "draw_functions", "draw_maps", "draw_slope_gaps"]
