"""Times of calls that take turns: what slows the machine falls on all of them."""

import random
import time
from collections.abc import Callable

import numpy as np
import torch

SHORTEST = 5e-3  # seconds of one measurement; shorter calls are repeated and their mean is taken

Call = Callable[[], object]
Clock = Callable[[], float | np.ndarray]


def time_in_turns(
    calls: dict[str, Call],
    repeats: int,
    seed: int,
    tick: Call = lambda: None,
    clock: Clock = time.perf_counter,
) -> dict[str, list]:
    """Return the seconds of `repeats` measurements of every call.

    The calls take turns, in another order each time: what slows the machine down for a while, or
    what one leaves behind in caches and allocators, falls on all of them. Each runs twice before.

    Args:
        calls: What to time, already compiled if it is to be.
        repeats: Measurements of each.
        seed: Of the orders.
        tick: Called after each turn.
        clock: Returns seconds, or an array of them, such as `wall_and_processor`.
    """
    counts = {name: _count(call, clock) for name, call in calls.items()}
    seconds = {name: [] for name in calls}
    order, shuffle = list(calls), random.Random(seed).shuffle
    for _ in range(repeats):
        shuffle(order)
        for name in order:
            seconds[name].append(_seconds(calls[name], counts[name], clock))
        tick()
    return seconds


def _count(call: Call, clock: Clock) -> int:
    _seconds(call, 1, clock)
    return max(1, round(SHORTEST / np.max(_seconds(call, 1, clock))))


def _seconds(call: Call, count: int, clock: Clock) -> float | np.ndarray:
    synchronize()
    start = clock()
    for _ in range(count):
        call()
    synchronize()
    return (clock() - start) / count


def wall_and_processor() -> np.ndarray:
    """Return seconds by the clock, and those that this process has computed."""
    return np.array([time.perf_counter(), time.process_time()])


def percentiles_by_clock(
    seconds: dict[str, list], calls: int = 1
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Return `percentiles` of a call, by name, for each clock of `wall_and_processor`.

    Args:
        seconds: What `time_in_turns` found with that clock.
        calls: How many calls a measurement held, one after the other.
    """
    wall, processor = (
        {name: percentiles([both[i] / calls for both in found]) for name, found in seconds.items()}
        for i in range(2)
    )
    return wall, processor


def synchronize() -> None:
    """Wait for the GPU, if there is one in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return the median and the 20th and 80th percentile in milliseconds."""
    p20, median, p80 = np.percentile(seconds, (20, 50, 80)) * 1e3
    return dict(median_ms=median, p20_ms=p20, p80_ms=p80)
