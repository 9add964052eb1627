"""Files that keep what was measured: JSON and CSV that are the old or the new, never half."""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dyrelu_pose.errors import UserError


class DiskFullError(UserError, OSError):
    """A file cannot be written for want of space; what was there before still is."""


class OutputError(UserError):
    """A file or a folder cannot be written where it was asked for."""


def check_output_file(path: str | Path, suffixes: Sequence[str] = ()) -> None:
    """Check that a file can be written, before the work that it is to hold.

    Args:
        path: The file.
        suffixes: What its name may end in; all, if there are none.

    Raises:
        OutputError: It cannot be: its name, its folder, or a folder in its place.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path} cannot be written: it is a folder; name a file")
    if suffixes and path.suffix not in suffixes:
        raise OutputError(f"{path} cannot be written: its name has to end in {', '.join(suffixes)}")
    if not _is_stream(path):
        check_output_folder((path.resolve() if path.is_symlink() else path).parent)


def check_output_folder(path: str | Path) -> None:
    """Check that files can be written to a folder, which need not be there yet.

    Raises:
        OutputError: A file is in its place or above it, or its user may not write there.
    """
    path = Path(path)
    above = next(f for f in (path, *path.parents, Path.cwd()) if f.exists())
    if not above.is_dir():
        raise OutputError(f"{path} cannot be written to: {above} is a file; name another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written to: you may not write to {above}")


def write_atomically(path: Path, write: Callable[[Path], object], size: int | None = None) -> None:
    """Write a file beside its place and move it there, so that a reader sees the old or the new.

    A link stays one: the file that it leads to is replaced. What is not a regular file, such as
    /dev/stdout, is written to as it is.

    The content is on the disk before it takes the name: neither a process that is killed nor a
    power cut leaves a part. What such an end does leave is a folder `.NAME.*.unfinished`.

    Args:
        path: The file; its folder is made.
        write: Writes to the path that it is given, which has the name of `path`.
        size: Bytes that it writes, where they are known, for the message of the error.

    Raises:
        DiskFullError: There is no space, or no quota, left.
    """
    if _is_stream(path):
        write(path)
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(
            prefix=f".{path.name}.", suffix=".unfinished", dir=target.parent
        ) as folder:
            part = Path(folder, path.name)
            write(part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        needs = "cannot be written" if size is None else f"needs {size / 1e6:.1f} MB"
        free = shutil.disk_usage(target.parent).free
        raise DiskFullError(
            f"the disk is full: {path} {needs}, {free / 1e6:.1f} MB are free. Make room, then go "
            "on: what was written before it is whole"
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes as `write_atomically` does."""
    write_atomically(path, lambda part: part.write_bytes(content), len(content))


def write_text(path: Path, text: str) -> None:
    """Write text as `write_atomically` does."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: object) -> None:
    """Write a record for people and programs: one value a line, a newline at the end."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_csv(path: Path, rows: Sequence[dict], columns: Sequence[str] | None = None) -> None:
    """Write rows below one line of column names.

    Args:
        path: The file; its folder is made.
        rows: Values by column, written as `cells` says; what a row lacks is left empty.
        columns: Their order. Default: as they first occur.
    """
    columns = columns or list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(cells, rows))
    write_text(path, text.getvalue())


def cells(row: dict, figures: int | None = None) -> dict[str, str]:
    """Return a row as a CSV file has it and `read_csv` returns it.

    A dict, such as versions, is written as `name value, ...`, None as nothing.

    Args:
        row: Values by column.
        figures: Significant ones of a float. Default: all of them.
    """
    return {name: _cell(value, figures) for name, value in row.items()}


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none if there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def short_digest(content: bytes) -> str:
    """Return 12 digits that tell one file's content from another's."""
    return hashlib.sha256(content).hexdigest()[:12]


def _is_stream(path: Path) -> bool:
    """Whether a path that is not a folder is a device or a pipe, whose place nothing may take."""
    return path.exists() and not path.is_file()


def _cell(value: object, figures: int | None) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    if isinstance(value, float) and figures is not None:
        return f"{value:.{figures}g}"
    return "" if value is None else str(value)
