"""Figures of a site: how far it follows the image, and how far its coefficients moved."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dyrelu_pose.records.files import cells, write_csv

from .activations import SiteRecord

BENT = 0.05
FIGURES = 4  # significant ones of a number in the file


def statistics(record: SiteRecord) -> dict[str, str | int | float]:
    """Measure the coefficients of a DyReLU over the images.

    Standard deviations over images are those of a channel, their squares averaged over channels;
    those over channels are of the channels' means over images, which is what a static activation
    with parameters per channel could learn as well.

    Args:
        record: Record of a site with a DyReLU.

    Returns:
        Where the site is, and

        - `pooled_std_images`: std of the pooled input over images, as a fraction of its root mean
          square: 0 if the hyper function sees the same on every image.
        - `hidden_alive`: fraction of the hidden units of the hyper function that are above 0 on any
          image; with none the coefficients are constants, and without gradient they stay so.
        - `slope_gap`: mean of max_k a_k - min_k a_k, which is abs(a_1 - a_2) for K = 2; ReLU: 1.
        - `bent`: fraction of (image, channel) whose slopes or intercepts differ from those of ReLU,
          (1, 0, ...) and 0, by more than 0.05 in any.
        - `map_std`: std of DyReLU-C's map over positions, as a fraction of its mean; else empty.
        - for each k, mean, std over images and std over channels of `a{k}` and `b{k}`.
    """
    site = record.site
    pooled, hidden, a, b = record.of_dyrelu()
    start = np.eye(a.shape[2])[0]
    moved = np.maximum(np.abs(a - start).max(2), np.abs(b).max(2))  # (N, C)
    row: dict[str, str | int | float] = dict(
        site=site.name,
        layer=type(record.layer).__name__,
        channels=site.channels,
        map="x".join(map(str, site.size)),
        images=len(a),
        pooled_std_images=_std_images(pooled) / max(_rms(pooled), 1e-12),
        hidden_alive=float((hidden > 0).any(0).mean()),
        slope_gap=float(slope_gaps(record).mean()),
        bent=float((moved > BENT).mean()),
        map_std=_rms([m.std() / m.mean() for m in record.maps]) if record.maps else "",
    )
    for name, values in (("a", a), ("b", b)):
        for k in range(values.shape[2]):
            row[f"{name}{k + 1}_mean"] = float(values[..., k].mean())
            row[f"{name}{k + 1}_std_images"] = _std_images(values[..., k])
            row[f"{name}{k + 1}_std_channels"] = float(values[..., k].mean(0).std())
    return row


def slope_gaps(record: SiteRecord) -> np.ndarray:
    """Return max_k a_k - min_k a_k of each image and channel, (N, C)."""
    _, _, a, _ = record.of_dyrelu()
    return a.max(2) - a.min(2)


def conditional_std(record: SiteRecord) -> np.ndarray:
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


def relative_conditional_std(record: SiteRecord) -> float:
    """Return `conditional_std` of all channels as a fraction of the std of their outputs."""
    scale = _rms(np.concatenate(record.y).std(0))
    return _rms(conditional_std(record)) / scale if scale else 0.0


def widest_channel(record: SiteRecord) -> int:
    """Return the channel whose outputs differ the most at equal input."""
    return int(conditional_std(record).argmax())


def write_statistics(rows: Sequence[dict], out: Path) -> None:
    """Write rows of `statistics` as CSV; sites of fewer branches leave columns empty."""
    write_csv(out, [cells(row, FIGURES) for row in rows])


def _std_images(values: np.ndarray) -> float:
    return _rms(values.std(0))


def _rms(values) -> float:
    return float(np.sqrt(np.square(values).mean()))
