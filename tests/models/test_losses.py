"""The cross entropy of heatmaps: its value, its minimum, and what weights leave out."""

import torch

from dyrelu_pose.models import HeatmapCrossEntropyLoss


def gaussians(n=2, k=3, h=8, w=6):
    return torch.rand(n, k, h, w) + 0.1


def test_value_by_hand():
    output = torch.tensor([[[[0.0, 1.0]]]])  # probabilities 1 / (1 + e) and e / (1 + e)
    target = torch.tensor([[[[3.0, 1.0]]]])  # 3/4 and 1/4
    expected = torch.tensor(1 + torch.e).log() - 0.25
    loss = HeatmapCrossEntropyLoss()(output, target, torch.ones(1, 1))
    torch.testing.assert_close(loss, expected)


def test_log_target_is_the_minimum():
    target = gaussians()
    output = target.log().requires_grad_()
    HeatmapCrossEntropyLoss()(output, target, torch.ones(2, 3)).backward()
    torch.testing.assert_close(output.grad, torch.zeros_like(output), rtol=0, atol=1e-7)


def test_weight_zero_leaves_a_keypoint_out():
    target, output = gaussians(), torch.randn(2, 3, 8, 6, requires_grad=True)
    weights = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    loss = HeatmapCrossEntropyLoss()(output, target, weights)
    alone = HeatmapCrossEntropyLoss()(output[:1, ::2], target[:1, ::2], weights[:1, ::2])
    torch.testing.assert_close(loss, alone)
    loss.backward()
    assert output.grad[1].eq(0).all()
    assert output.grad[0, 1].eq(0).all()


def test_no_labelled_keypoint_is_no_loss():
    output = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = HeatmapCrossEntropyLoss()(output, torch.zeros(1, 2, 4, 4), torch.zeros(1, 2))
    loss.backward()
    assert loss == 0
    assert output.grad.eq(0).all()
