"""Memory of calls, on a CPU or a CUDA device."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate

import torch
from torch.profiler import ProfilerActivity, profile

from dyrelu_pose.complexity.timing import Call, synchronize


def peak_bytes(call: Call) -> int:
    """Return the most memory that PyTorch's allocator lent at once during a call.

    What it had lent before is not counted. On a CPU, the profiler's record of allocations is added
    up; memory that libraries take past the allocator (oneDNN's scratch space) is in neither count.
    """
    if torch.cuda.is_initialized():
        synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        synchronize()
        return torch.cuda.max_memory_allocated() - before
    with _silent(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        call()
    events = record.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return max(accumulate((change for _, change in changes), initial=0))


@contextmanager
def _silent() -> Iterator[None]:
    """Drop what the profiler prints past Python whenever it starts and stops."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
