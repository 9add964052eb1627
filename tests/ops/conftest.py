"""Lets Triton's kernels run on the CPU where there is no GPU."""

import importlib.util
import sys

import pytest
import torch

if not torch.cuda.is_available() and importlib.util.find_spec("triton"):
    if "triton" in sys.modules:
        raise RuntimeError(
            "triton was imported before it was told to interpret: import torch._dynamo in a test, "
            "not at the top of its file"
        )
    # Read when a kernel is defined, also those of Triton itself, some of which the first launch
    # imports. Then it is off again, for what other tests start.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TRITON_INTERPRET", "1")
        from dyrelu_pose.ops.triton_passes import TRITON

        TRITON.pool(torch.ones(1, 1), None)
