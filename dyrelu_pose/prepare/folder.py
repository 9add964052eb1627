"""A folder that holds one data set: noticed when complete, never a mix of two."""

import json
import os
import shutil
from pathlib import Path

from dyrelu_pose.errors import UserError

META = "meta.json"
KIND = "crops"  # no other tool's folder is taken for one of these, whatever its meta.json says


def prepare(out: Path, parameters: dict, force: bool) -> bool:
    """Clear the way for the data set that `parameters` make, unless it is there already.

    Args:
        out: Folder to write; made where it does not exist.
        parameters: What decides the content: strings and numbers by name.
        force: Whether to replace a data set that is there.

    Returns:
        Whether there is anything to write.

    Raises:
        UserError: `out` is a file, holds other files, or a data set of other parameters.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file: name a folder for the data set")
    if out.exists() and any(out.iterdir()):
        found = _read_meta(out)
        if found["parameters"] != parameters and not force:
            raise UserError(
                f"{out} holds another data set, {_changes(found['parameters'], parameters)}: "
                "use --force to replace it or name another folder"
            )
        if found["parameters"] == parameters and not force and _is_whole(out, found["files"]):
            return False
        for name in found["files"]:
            shutil.rmtree(out / name, ignore_errors=True)
    return True


def begin(out: Path, parameters: dict, folders: list[str]) -> None:
    """Make the folders of a data set and mark it as incomplete."""
    _write_meta(out, parameters, dict.fromkeys(folders))
    for name in folders:
        (out / name).mkdir(parents=True, exist_ok=True)


def finish(out: Path, parameters: dict, folders: list[str]) -> None:
    """Mark a data set as complete, with the number of files in its folders."""
    _write_meta(out, parameters, {name: _count(out / name) for name in folders})


def write_json(path: Path, content: dict) -> None:
    """Write a file that is either the old or the new one, never half."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(content, separators=(",", ":")))
    os.replace(draft, path)


def _write_meta(out: Path, parameters: dict, files: dict[str, int | None]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / META, dict(kind=KIND, parameters=parameters, files=files))


def _read_meta(out: Path) -> dict:
    try:
        found = json.loads((out / META).read_text())
        if found["kind"] == KIND and found["files"].keys() and found["parameters"].keys():
            return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise UserError(
        f"{out} is not empty and holds no readable {META} of this tool: name another folder"
    )


def _is_whole(out: Path, files: dict[str, int | None]) -> bool:
    """Whether each folder still holds as many files as when the data set was complete."""
    return all(_count(out / name) == number for name, number in files.items())


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def _changes(found: dict, wanted: dict) -> str:
    return ", ".join(
        f"{key}={found.get(key)} (wanted {wanted.get(key)})"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )
