"""Logits of the right distribution decode to what UDP decodes from its heatmaps, with score 1."""

import numpy as np
import pytest
from mmpose.registry import KEYPOINT_CODECS

SIZES = dict(input_size=(96, 128), heatmap_size=(24, 32), sigma=1.5, blur_kernel_size=7)


@pytest.fixture
def codec():
    return KEYPOINT_CODECS.build(dict(type="SoftmaxHeatmap", **SIZES))


@pytest.mark.parametrize("shift", [-7.0, 0.0, 800.0])
def test_decodes_as_udp_does(codec, shift):
    keypoints = np.array([[[40.3, 70.9], [20.0, 30.0], [81.7, 99.2]]])
    udp = KEYPOINT_CODECS.build(dict(type="UDPHeatmap", **SIZES))
    heatmaps = codec.encode(keypoints)["heatmaps"]
    logits = np.log(np.maximum(heatmaps, 1e-9)) + shift
    decoded, scores = codec.decode(logits)
    np.testing.assert_allclose(decoded, udp.decode(heatmaps)[0], atol=0.05)
    np.testing.assert_allclose(decoded, keypoints, atol=1)
    np.testing.assert_allclose(scores, 1, atol=0.1)


def test_flat_logits_score_low(codec):
    _, scores = codec.decode(np.zeros((2, 32, 24), np.float32))
    assert (scores < 0.05).all()


def test_almost_flat_logits_of_an_untrained_model_decode(codec):
    rng = np.random.default_rng(0)
    for _ in range(50):
        logits = (1e-6 * rng.standard_normal((17, 32, 24))).astype(np.float32)
        keypoints, _ = codec.decode(logits)
        assert np.isfinite(keypoints).all()
