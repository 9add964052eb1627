"""Errors whose message is meant for the user: what is wrong, where, and what to do."""

import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

TRACEBACK = "DYRELU_TRACEBACK"  # environment variable: set, an error keeps its traceback
LONGEST = 300  # characters of somebody else's message


class UserError(Exception):
    """Something outside the code is wrong; the tools print the message without a traceback."""


class AnnotationError(UserError, ValueError):
    """An annotation file that cannot be used; the message names it."""


def plural(count: int, noun: str) -> str:
    """Return a number of things in words: `1 site`, `2 sites`, `2 entries`."""
    nouns = re.sub("([^aeiou])y$", r"\1ie", noun) + "s"
    return f"{count} {noun if count == 1 else nouns}"


def article(noun: str) -> str:
    """Return a noun with its indefinite article: `a dict`, `an int`."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def some(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def first_of(problems: Sequence[str]) -> str:
    """Return the first of some problems, and how many more there are: `no id (and 3 more)`."""
    return problems[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def no_file(path: str | Path) -> str:
    """Return what is wrong with a path at which there is no file."""
    return "is a folder, not a file" if Path(path).is_dir() else "does not exist"


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn an error into one line and exit status 1, Ctrl-C into 130, without a traceback.

    A `UserError` is its message; any other exception is its class, its message and the line that
    raised it. Nothing is said where nobody reads the output any more, as behind `| head`. With the
    environment variable DYRELU_TRACEBACK set, errors pass through instead.
    """
    try:
        yield
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            sys.exit(1)
        sys.exit(f"error: {_line(error)}")


def described(error: Exception) -> str:
    """Return an error that is not meant for users: its class, its message and where it came from.

    One that a data-loader worker raised is what its own traceback, which it brings along, ends in.
    """
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    if text.startswith("Caught "):
        return text.splitlines()[-1][:LONGEST]
    reason = " ".join(text.split())[:LONGEST]
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {reason} ({Path(at.filename).name}, line {at.lineno})"


def _nobody_reads() -> bool:
    """Whether the standard output is a pipe that was closed; if so, let go of it."""
    try:
        print(flush=True)  # a flush alone may find nothing left to write
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def message_of(error: UserError) -> str:
    """Return the text of an error; a data-loader worker's arrives behind its traceback."""
    message = str(error).strip()
    return described(error).split(": ", 1)[-1] if message.startswith("Caught ") else message


def _line(error: Exception) -> str:
    if isinstance(error, UserError):
        return message_of(error)
    if isinstance(error, OSError) and error.filename:
        found = f"{error.filename}: {error.strerror}"
    else:
        found = described(error)
    return f"{found}; with {TRACEBACK}=1 in the environment the traceback is shown"
