"""What the framework says while it builds something to look at."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from mmengine.logging import MMLogger


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what the framework logs and prints while it builds a data set to itself."""
    before = logging.root.manager.disable
    _disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _disable(before)


def _disable(level: int) -> None:
    logging.disable(level)
    for logger in MMLogger._instance_dict.values():  # which logging does not know
        logger._cache.clear()
