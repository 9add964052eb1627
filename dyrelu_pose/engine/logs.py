"""MMEngine's logs in any locale: the file in UTF-8, on the screen what its encoding has."""

import logging
from io import TextIOWrapper

from mmengine.logging import MMLogger

_mmengines_own = MMLogger.__init__


def _init(self: MMLogger, name: str, *args, **kwargs) -> None:
    _mmengines_own(self, name, *args, **kwargs)
    for handler in self.handlers:
        stream = getattr(handler, "stream", None)
        if not isinstance(stream, TextIOWrapper):
            continue
        if isinstance(handler, logging.FileHandler):
            stream.reconfigure(encoding="utf-8")
        else:
            stream.reconfigure(errors="backslashreplace")


def apply() -> None:
    """Let a log have any characters: in an ASCII one each would be a traceback of `logging`."""
    MMLogger.__init__ = _init
