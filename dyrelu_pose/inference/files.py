"""The pictures and videos among files and folders, and where what is made of them goes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dyrelu_pose.errors import UserError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".gif")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
WRITTEN = (".jpg", ".jpeg", ".png")  # kept; the rest of the formats becomes PNG
DIGITS = 18  # of an id, which has 64 bits


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its name."""
    return path.suffix.lower() in VIDEOS


def find_files(paths: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return (file, name below the output folder) of files and of all pictures in folders.

    A folder is searched at any depth, in the order of names, for extensions of pictures and videos;
    a file that is named is taken whatever its extension.

    Raises:
        UserError: A path does not exist, a folder holds none, or two would be written to one place.
    """
    found = [pair for path in paths for pair in _below(path, PICTURES + VIDEOS)]
    sources: dict[Path, Path] = {}
    for path, name in found:
        name = written_name(name)
        if name in sources:
            raise UserError(f"{sources[name]} and {path} would both be written as {name}")
        sources[name] = path
    return [(path, name) for name, path in sources.items()]


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the files among `paths`, and the pictures at any depth of the folders among them.

    Raises:
        UserError: A path does not exist, or a folder holds none.
    """
    return [file for path in paths for file, _ in _below(path, PICTURES)]


def _below(path: Path, suffixes: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """Yield (file, its name below a folder): a file itself, or those of a folder by extension."""
    if path.is_file():
        yield path, Path(path.name)
    elif path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes)
        if not files:
            raise UserError(f"{path}: no file in this folder ends in {', '.join(suffixes)}")
        yield from ((file, file.relative_to(path)) for file in files)
    else:
        raise UserError(f"{path}: no such file or folder")


def written_name(name: Path) -> Path:
    """Return the name of what is drawn: MP4 for videos, PNG for formats that are not kept."""
    if is_video(name):
        return name.with_suffix(".mp4")
    return name if name.suffix.lower() in WRITTEN else name.with_suffix(".png")


def image_ids(names: Sequence[Path]) -> list[int]:
    """Return COCO image ids: the numbers that the files are called by, or else 1, 2, 3, ..."""
    stems = [name.stem for name in names]
    numbers = [int(stem) for stem in stems if stem.isdecimal() and len(stem) <= DIGITS]
    if len(set(numbers)) == len(names):
        return numbers
    return list(range(1, len(names) + 1))
