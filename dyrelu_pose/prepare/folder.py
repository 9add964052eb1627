"""A folder that holds one data set: noticed when complete, never a mix of two."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dyrelu_pose.datasets.picture_array import remove_arrays
from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import check_output_folder, write_text

META = "meta.json"
PEOPLE = "people"  # kind of the folders whose meta.json, by an earlier version, names none


@dataclass(frozen=True)
class DataFolder:
    """Where a data set is, or shall be.

    Args:
        path: The folder; made where it does not exist.
        kind: What makes the data set: no other tool's folder is taken for one of these, whatever
            its meta.json says.
        parameters: What decides the content: strings and numbers by name.
        parts: Names of the folders inside.
    """

    path: Path
    kind: str
    parameters: dict
    parts: tuple[str, ...]

    def is_due(self, force: bool) -> bool:
        """Tell whether the data set is to be written, without changing anything.

        Args:
            force: Whether to replace a data set that is there.

        Raises:
            UserError: `path` is a file, holds other files, or a finished set of other parameters.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file: name a folder for the data set")
        check_output_folder(self.path)
        if self.path.exists() and any(self.path.iterdir()):
            parameters, files = self._found()
            finished = None not in files.values()
            if parameters != self.parameters and finished and not force:
                raise UserError(
                    f"{self.path} holds another data set, {_changes(parameters, self.parameters)}: "
                    "use --force to replace it or name another folder"
                )
            return force or self._counts(files) != files
        return True

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make the folders inside anew, and mark the data set as complete if no error comes."""
        for name in self._found()[1] if (self.path / META).exists() else ():
            self._clear(self.path / name)
        self._write_meta(dict.fromkeys(self.parts))
        for name in self.parts:
            (self.path / name).mkdir(parents=True, exist_ok=True)
        yield
        self._write_meta(self._counts(self.parts))

    def _clear(self, folder: Path) -> None:
        remove_arrays(folder)  # of its pictures
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)

    def _write_meta(self, files: Mapping[str, int | None]) -> None:
        content = dict(kind=self.kind, parameters=self.parameters, files=files)
        write_compact_json(self.path / META, content)

    def _found(self) -> tuple[dict, dict[str, int | None]]:
        """Return the parameters of what is there, and its numbers of files, None if incomplete."""
        try:
            found = json.loads((self.path / META).read_bytes())
            found = dict(kind=PEOPLE, files=dict.fromkeys(self.parts)) | found
            if found["kind"] == self.kind and found["files"].keys() and found["parameters"].keys():
                return found["parameters"], found["files"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        raise UserError(
            f"{self.path} is not empty and holds no readable {META} of this tool: name another "
            "folder"
        )

    def _counts(self, names) -> dict[str, int]:
        """Return how many files the folders hold."""
        return {
            name: sum(1 for _ in folder.iterdir()) if (folder := self.path / name).is_dir() else 0
            for name in names
        }


def write_compact_json(path: Path, content: dict) -> None:
    """Write a file for programs, which is the old or the new one, never half."""
    write_text(path, json.dumps(content, separators=(",", ":")))


def annotation_file(out: Path, split: str) -> Path:
    """Return where the annotations of a split are."""
    return out / "annotations" / f"person_keypoints_{split}.json"


def _changes(found: dict, wanted: dict) -> str:
    return ", ".join(
        f"{key}={found.get(key)} (wanted {wanted.get(key)})"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )
