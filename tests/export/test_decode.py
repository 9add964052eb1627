"""Decoding as part of a network finds what MMPose's codecs find."""

import numpy as np
import pytest
import torch
from mmpose.codecs import MSRAHeatmap, SimCCLabel, UDPHeatmap

from dyrelu_pose.codecs import SoftmaxHeatmap
from dyrelu_pose.errors import UserError
from dyrelu_pose.export.decode import decoder

SIZES = dict(input_size=(96, 128), heatmap_size=(24, 32))
CODECS = [
    MSRAHeatmap(sigma=2, **SIZES),
    UDPHeatmap(sigma=2, **SIZES),
    SoftmaxHeatmap(sigma=1.5, blur_kernel_size=7, **SIZES),
]


def heatmaps(codec):
    """(N, K, H, W) as a trained model's: a bump each, noise, and some at the border."""
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 23, (4, 17)), random.uniform(0, 31, (4, 17))
    x[0, :4], y[0, 4:8] = (0, 0.4, 22.6, 23), (0, 0.4, 30.6, 31)
    columns, rows = np.arange(24)[None, None, None], np.arange(32)[None, None, :, None]
    squares = (columns - x[..., None, None]) ** 2 + (rows - y[..., None, None]) ** 2
    maps = -squares / (2 * 1.7**2)
    if not isinstance(codec, SoftmaxHeatmap):
        maps = random.uniform(0.2, 1, (4, 17, 1, 1)) * np.exp(maps)
    return torch.from_numpy(maps + random.uniform(0, 1e-3, maps.shape)).float()


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: type(codec).__name__)
def test_finds_what_the_codec_finds(codec):
    maps = heatmaps(codec)
    keypoints, scores = decoder(codec)(maps)
    for i, one in enumerate(maps):
        expected, expected_scores = codec.decode(one.numpy().copy())
        np.testing.assert_allclose(keypoints[i], expected[0], atol=0.05)  # pixels
        np.testing.assert_allclose(scores[i], expected_scores[0], rtol=1e-4)


def test_a_codec_that_is_not_known_is_named():
    codec = SimCCLabel(input_size=(96, 128))
    with pytest.raises(UserError, match="SimCCLabel: export without --decode"):
        decoder(codec)
    with pytest.raises(UserError, match="no decoder"):
        decoder(None)
