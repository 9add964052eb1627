"""MMEngine's logs in any locale: the file in UTF-8, on the screen what its encoding has.

And without its advice to install mmdet. RTMPose's configs give their backbone mmdet's scope, where
MMEngine finds no registry and takes MMPose's, which has that backbone. A name that neither has is
an error of its own.
"""

import logging
import re
from io import TextIOWrapper

from mmengine.logging import MMLogger

ABSENT = re.compile(
    r"mmdet is not installed and its modules|Failed to import `None\.registry`|"
    r'Failed to search registry with scope "mmdet"'
)

_mmengines_own = MMLogger.__init__


def _init(self: MMLogger, name: str, *args, **kwargs) -> None:
    _mmengines_own(self, name, *args, **kwargs)
    self.addFilter(lambda record: not ABSENT.match(record.getMessage()))
    for handler in self.handlers:
        stream = getattr(handler, "stream", None)
        if not isinstance(stream, TextIOWrapper):
            continue
        if isinstance(handler, logging.FileHandler):
            stream.reconfigure(encoding="utf-8")
        else:
            stream.reconfigure(errors="backslashreplace")


def apply() -> None:
    """Let a log have any characters: in an ASCII one each would be a traceback of `logging`.

    And leave out what it says of mmdet's registry.
    """
    MMLogger.__init__ = _init
