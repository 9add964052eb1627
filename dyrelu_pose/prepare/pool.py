"""Calls in several processes whose results come in order."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import cv2


@contextmanager
def ordered_map(workers: int) -> Iterator[Callable]:
    """Yield a `map` that calls in this process, or for more than one worker in that many others."""
    if workers <= 1:
        yield map
        return
    # OpenCV's own threads would fight over the cores with the processes.
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
        yield partial(pool.map, chunksize=8)
