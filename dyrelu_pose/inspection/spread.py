"""How far the outputs of a channel differ at equal input."""

import numpy as np

from .collect import Record


def output_spread(record: Record) -> np.ndarray:
    """Return the standard deviation of each channel's output at equal input, over the images.

    Each sample is compared with the straight line between its neighbours in the order of inputs
    (Gasser, Sroka and Jennen-Steinmetz, Biometrika 1986). A piecewise linear function of the input
    alone gives 0 but for its kinks: ReLU, and a PReLU with a slope of its own per channel too.

    Args:
        record: Record with samples.

    Returns:
        (C,), in the unit of the output.
    """
    x, y = np.concatenate(record.x).astype(float), np.concatenate(record.y).astype(float)
    order = np.argsort(x, axis=0)
    x, y = np.take_along_axis(x, order, 0), np.take_along_axis(y, order, 0)
    width = x[2:] - x[:-2]
    before = np.divide(x[2:] - x[1:-1], width, out=np.full_like(width, 0.5), where=width > 0)
    residuals = y[1:-1] - before * y[:-2] - (1 - before) * y[2:]
    noise = 1 + before**2 + (1 - before) ** 2  # variance of a residual if that of an output is 1
    return np.sqrt((residuals**2 / noise).mean(0))


def relative_spread(record: Record) -> float:
    """Return the spread of all channels relative to the standard deviation of their outputs."""
    spread = np.sqrt(np.square(output_spread(record)).mean())
    scale = np.sqrt(np.concatenate(record.y).var(0).mean())
    return float(spread / scale) if scale else 0.0


def widest_channel(record: Record) -> int:
    """Return the channel whose band is the widest."""
    return int(output_spread(record).argmax())
