"""benchmarks/measure.py: counts of bytes."""

import torch
from measure import peak_bytes
from torch import nn

from dyrelu_pose.complexity.activations import kept_bytes

KIB = 256  # float32 elements


def test_kept_are_distinct_storages_without_parameters():
    x = torch.randn(KIB, requires_grad=True)
    scale = nn.Linear(1, KIB, bias=False)  # its weight, 1 KiB, is a parameter

    def forward():
        y = x * scale.weight[:, 0]  # keeps x and the parameter
        return y * y * x.view(2, -1).view(-1)  # keeps y, y again, y * y, and x again

    assert kept_bytes(forward, scale.parameters()) == 3 * 1024


def test_peak_counts_what_is_there_at_once():
    def one_after_the_other():
        torch.empty(KIB)
        torch.empty(3 * KIB)

    def at_once():
        return torch.empty(KIB), torch.empty(3 * KIB)

    before = torch.empty(KIB)
    assert peak_bytes(one_after_the_other) == 3 * 1024
    assert peak_bytes(at_once) == 4 * 1024
    assert peak_bytes(lambda: before.neg_()) == 0
