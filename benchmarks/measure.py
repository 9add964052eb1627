"""Time and memory of calls, on a CPU or a CUDA device."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

SHORTEST = 5e-3  # seconds of one measurement; shorter calls are repeated and their mean is taken

Call = Callable[[], object]


def time_in_turns(
    calls: dict[str, Call], repeats: int, seed: int, tick: Callable[[], object] = lambda: None
) -> dict[str, list[float]]:
    """Return the seconds of `repeats` measurements of every call.

    The calls take turns, in another order each time: what slows the machine down for a while, or
    what one leaves behind in caches and allocators, falls on all of them. Each runs twice before.

    Args:
        calls: What to time, already compiled if it is to be.
        repeats: Measurements of each.
        seed: Of the orders.
        tick: Called after each turn.
    """
    counts = {name: _count(call) for name, call in calls.items()}
    seconds = {name: [] for name in calls}
    order, shuffle = list(calls), random.Random(seed).shuffle
    for _ in range(repeats):
        shuffle(order)
        for name in order:
            seconds[name].append(_seconds(calls[name], counts[name]))
        tick()
    return seconds


def _count(call: Call) -> int:
    _seconds(call, 1)
    return max(1, round(SHORTEST / _seconds(call, 1)))


def _seconds(call: Call, count: int) -> float:
    synchronise()
    start = time.perf_counter()
    for _ in range(count):
        call()
    synchronise()
    return (time.perf_counter() - start) / count


def synchronise() -> None:
    """Wait for the GPU, if there is one in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the median and the 20th and 80th percentile in milliseconds."""
    p20, median, p80 = np.percentile(seconds, (20, 50, 80)) * 1e3
    return dict(median_ms=median, p20_ms=p20, p80_ms=p80)


def kept_bytes(module: nn.Module, forward: Call) -> int:
    """Return what `forward` keeps for the backward pass: distinct storages, without parameters.

    The input counts if it is kept, also where another layer would keep it anyway.
    """
    parameters = {p.untyped_storage().data_ptr() for p in module.parameters()}
    kept: dict[int, int] = {}
    held = []  # so that no address is used twice

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
            held.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = forward()
    del result
    return sum(kept.values())


def peak_bytes(call: Call) -> int:
    """Return the most memory that PyTorch's allocator lent at once during a call.

    What it had lent before is not counted. On a CPU, the profiler's record of allocations is added
    up; memory that libraries take past the allocator (oneDNN's scratch space) is in neither count.
    """
    if torch.cuda.is_initialized():
        synchronise()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        synchronise()
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
