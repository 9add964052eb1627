"""Which hyper functions one kernel computes, and its block sizes."""

from dyrelu_pose.ops.hyper import Hyper

TILE = 4096  # weights, or gradients, that a program of 8 warps holds at a time
WARPS = 8
# A program reads all weights for one sample, and in the backward pass the gradients of all samples
# for one hidden unit, from the L2 cache: 1 or 2 MiB at this many elements. One processor takes some
# 10 to 30 us for that (estimated, not timed), and so do the ten or so launches of matrix products
# that one kernel replaces. Above, the products win: they use the whole GPU.
MOST = 2**18
LONGEST = 1024  # samples or hidden units that fit into one tile with room for a second dimension


def fits(samples: int, hyper: Hyper) -> bool:
    """Return whether one kernel computes the hyper function well; cuBLAS does above that."""
    hidden = hyper.fc1_weight.shape[0]
    weights = hyper.fc1_weight.numel() + hyper.fc2_weight.numel()
    gradients = samples * hyper.fc2_weight.shape[0]
    return max(weights, gradients) <= MOST and max(samples, hidden) <= LONGEST


def side(size: int) -> int:
    """Return a power of two that is not below `size`, at least 16 to have fewer variants."""
    return max(16, 1 << max(size - 1, 0).bit_length())
