"""Times on a GPU: of the kernels alone, replayed from a CUDA graph, and of the host that calls."""

import gc
import statistics
import time
from collections.abc import Callable

import torch

from dyrelu_pose.complexity.timing import Call, synchronize, time_in_turns

CALLS = 10  # in one graph, so that short kernels do not wait for the next replay
HOST_CALLS = 20


def graphed(call: Call, count: int = 1) -> Callable[[], object]:
    """Return a call that replays the kernels of `count` calls, captured in a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # capture needs what the first calls set up
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    gc.collect()  # dead graphs of other models, which must not be freed during a capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(count):
            call()
    return graph.replay


def time_kernels(
    calls: dict[str, Call], repeats: int, seed: int, tick: Call = lambda: None
) -> dict[str, list]:
    """Return what `time_in_turns` does, of the kernels of the calls alone."""
    replays = {name: graphed(call, CALLS) for name, call in calls.items()}
    found = time_in_turns(replays, repeats, seed, tick)
    return {name: [second / CALLS for second in seconds] for name, seconds in found.items()}


def host_ms(call: Call) -> float:
    """Return the median milliseconds until a call returns, while the GPU has nothing to do."""
    seconds = []
    for _ in range(HOST_CALLS):
        synchronize()
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    synchronize()
    return 1e3 * statistics.median(seconds)
