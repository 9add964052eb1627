"""MMPose's MobileNets with a part left out: the rest is as it was."""

import torch
from mmpose.models.backbones import MobileNetV2

from dyrelu_pose.models.mobilenets import MobileNetV2WithoutLastConv


def test_the_last_convolution_is_gone_and_the_rest_is_mmposes():
    ours, theirs = MobileNetV2WithoutLastConv(0.25), MobileNetV2(0.25, out_indices=(6,))
    ours.eval(), theirs.eval()  # which return None
    missing = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert not missing.missing_keys
    assert all(key.startswith("conv2.") for key in missing.unexpected_keys)
    images = torch.randn(1, 3, 64, 64)
    (found,), (expected,) = ours(images), theirs(images)
    assert found.shape == (1, 80, 2, 2)
    assert torch.equal(found, expected)
