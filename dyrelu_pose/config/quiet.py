"""Silence the framework while it builds something that is only looked at."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from mmengine.logging import MMLogger


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Suppress warnings, what is logged below an error, and what is printed."""
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
