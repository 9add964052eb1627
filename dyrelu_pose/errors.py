"""Errors whose message is meant for the user: what is wrong, where, and what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something outside the code is wrong; the tools print the message without a traceback."""


class AnnotationError(UserError, ValueError):
    """An annotation file that cannot be used; the message names it."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn a `UserError` into its message and exit status 1, Ctrl-C into 130, without a traceback.

    One that a data-loader worker raised arrives behind the worker's traceback, on the last line.
    """
    try:
        yield
    except UserError as error:
        message = str(error).strip()
        if message.startswith("Caught "):
            message = message.splitlines()[-1].split(": ", 1)[-1]
        sys.exit(f"error: {message}")
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
