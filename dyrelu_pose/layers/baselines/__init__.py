"""What the paper compares DyReLU with, as layers that placement rules can name.

LeakyReLU, PReLU (one slope for all channels), RReLU and Hard-Swish are MMCV's own: `'LeakyReLU'`,
`'PReLU'`, `'RReLU'` and `'HSwish'`.
"""

from .maxout import Maxout
from .prelu import ChannelPReLU
from .squeeze_excite import SEReLU

__all__ = ["ChannelPReLU", "Maxout", "SEReLU"]
