"""Calls in several processes whose results come in order, and a bar that counts them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import cv2
from rich.progress import track


@contextmanager
def ordered_map(workers: int) -> Iterator[Callable]:
    """Yield a `map` that calls in this process, or for more than one worker in that many others."""
    if workers <= 1:
        yield map
        return
    # OpenCV's own threads would fight over the cores with the processes.
    with ProcessPoolExecutor(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
        yield partial(pool.map, chunksize=8)


def progress(items: Iterable, total: int, text: str) -> Iterable:
    """Yield the items, with a bar."""
    return track(items, text, total)
