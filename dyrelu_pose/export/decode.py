"""Keypoints from heatmaps as part of a network: what MMPose's codecs compute, in tensor operations.

The flip test stays outside: it needs two passes.
"""

import math
from collections.abc import Callable

import cv2
import torch
from mmpose.codecs import MSRAHeatmap, UDPHeatmap
from torch import Tensor, nn
from torch.nn import functional as F

from dyrelu_pose.codecs import SoftmaxHeatmap
from dyrelu_pose.errors import UserError


def decoder(codec: object) -> "Decode":
    """Return the module that decodes as a head's `decoder` does.

    Raises:
        UserError: It is not one of those that are known here.
    """
    if type(codec) is MSRAHeatmap and not codec.unbiased:
        return Decode(codec, quarter, span=codec.heatmap_size)
    if (type(codec) is UDPHeatmap or type(codec) is SoftmaxHeatmap) and (
        codec.heatmap_type == "gaussian"
    ):
        refine = DarkUDP(codec.blur_kernel_size)
        span = [size - 1 for size in codec.heatmap_size]
        sigma = codec.sigma if type(codec) is SoftmaxHeatmap else None
        return Decode(codec, refine, span, sigma)
    raise UserError(
        f"--decode knows MSRAHeatmap (biased), UDPHeatmap (Gaussian) and SoftmaxHeatmap, and the "
        f"head has {type(codec).__name__ if codec else 'no decoder'}: export without --decode, and "
        "decode what the file returns with the codec"
    )


class Decode(nn.Module):
    """Finds and refines the maximum of each heatmap.

    A map without a positive value has no keypoint: its score says so, and its position is
    arbitrary (the codecs put it at or near -1).

    Args:
        codec: An MMPose codec with `input_size` in pixels.
        refine: Called with maps (N, K, H, W), their `Peaks` and returns shifts (N, K, 2), in cells.
        span: Width and height of the map in cells that the input's width and height are.
        sigma: For maps of logits: the standard deviation of their Gaussians, in cells.
    """

    cell: Tensor

    def __init__(self, codec, refine: Callable, span, sigma: float | None = None) -> None:
        super().__init__()
        self.refine = refine
        self.peak = None if sigma is None else 1 / (2 * math.pi * sigma**2)
        cell = [pixels / cells for pixels, cells in zip(codec.input_size, span, strict=True)]
        self.register_buffer("cell", torch.tensor(cell))

    def forward(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Return keypoints (N, K, 2) in pixels of the input and scores (N, K)."""
        if self.peak is not None:
            probabilities = heatmaps.flatten(2).softmax(2).view_as(heatmaps)
            heatmaps = (probabilities / self.peak).clamp(max=1.0)
        peaks = Peaks(heatmaps)
        cells = torch.stack([peaks.x, peaks.y], 2) + self.refine(heatmaps, peaks)
        return cells * self.cell, peaks.score


class Peaks:
    """Where maps (N, K, H, W) have their maxima: score, x and y, each (N, K)."""

    def __init__(self, heatmaps: Tensor) -> None:
        self.size = heatmaps.shape[2:]
        self.score, index = heatmaps.flatten(2).max(2)
        self.x, self.y = index % self.size[1], index // self.size[1]

    def at(self, maps: Tensor, dx: int, dy: int) -> Tensor:
        """Return the cells of maps (N, K, H, W) beside the maxima, (N, K); the border is padded."""
        height, width = self.size
        x, y = (self.x + dx).clamp(0, width - 1), (self.y + dy).clamp(0, height - 1)
        return maps.flatten(2).gather(2, (y * width + x)[..., None]).squeeze(2)


def quarter(heatmaps: Tensor, peaks: Peaks) -> Tensor:
    """Return a quarter of a cell towards the higher neighbour, as `MSRAHeatmap` has it."""
    height, width = peaks.size
    shifts = []
    for place, other, (length, across), step in (
        (peaks.x, peaks.y, (width, height), (1, 0)),
        (peaks.y, peaks.x, (height, width), (0, 1)),
    ):
        dx, dy = step
        slope = peaks.at(heatmaps, dx, dy) - peaks.at(heatmaps, -dx, -dy)
        inside = (place > 1) & (place < length - 1) & (other > 0) & (other < across)
        shifts.append(slope.sign() * inside * 0.25)
    return torch.stack(shifts, 2)


class DarkUDP(nn.Module):
    """One Newton step on the logarithm of the blurred map (arXiv 1911.07524), as `UDPHeatmap`.

    Args:
        kernel_size: Width of the blur, in cells.
    """

    row: Tensor

    def __init__(self, kernel_size: int) -> None:
        super().__init__()
        row = torch.from_numpy(cv2.getGaussianKernel(kernel_size, 0, cv2.CV_32F)).flatten()
        self.register_buffer("row", row[None, None, None])

    def forward(self, heatmaps: Tensor, peaks: Peaks) -> Tensor:
        """Return shifts (N, K, 2) of the maxima, in cells."""
        maps = self._logarithm(heatmaps, peaks)
        here = peaks.at(maps, 0, 0)
        right, left, below, above = (
            peaks.at(maps, *step) for step in ((1, 0), (-1, 0), (0, 1), (0, -1))
        )
        corners = peaks.at(maps, 1, 1) + peaks.at(maps, -1, -1)
        dx, dy = (right - left) / 2, (below - above) / 2
        eps = torch.finfo(torch.float32).eps  # the codec's
        dxx, dyy = right - 2 * here + left + eps, below - 2 * here + above + eps
        dxy = (corners - right - left - below - above + 2 * here) / 2
        determinant = dxx * dyy - dxy * dxy
        flat = determinant == 0  # as a float32 plateau is: stay on the cell
        scale = flat.logical_not() / torch.where(flat, 1.0, determinant)
        return torch.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], 2) * scale[..., None]

    def _logarithm(self, heatmaps: Tensor, peaks: Peaks) -> Tensor:
        maps = heatmaps.flatten(0, 1)[:, None]  # (N K, 1, H, W)
        half = self.row.shape[3] // 2
        maps = F.conv2d(maps, self.row, padding=(0, half))
        maps = F.conv2d(maps, self.row.mT, padding=(half, 0)).view_as(heatmaps)
        maps = maps * (peaks.score / maps.amax((2, 3)))[..., None, None]
        return maps.clamp(1e-3, 50.0).log()
