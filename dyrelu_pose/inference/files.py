"""The pictures and videos among files and folders, and where what is made of them goes."""

from collections.abc import Container, Iterator, Sequence
from pathlib import Path

from dyrelu_pose.errors import UserError

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".gif")
VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
WRITTEN = (".jpg", ".jpeg", ".png")  # kept; the rest of the formats becomes PNG
RESULTS = "results.keypoints.json"  # keypoints of all pictures; a video has a file of its own
DIGITS = 18  # of an id, which has 64 bits


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its name."""
    return path.suffix.lower() in VIDEOS


def find_files(paths: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Return (file, name below the output folder) of files and of all pictures in folders.

    A folder is searched at any depth, in the order of names, for extensions of pictures and videos,
    but not in an output folder in it, where drawings of a former run are; a file that is named is
    taken whatever its extension.

    Args:
        paths: Files and folders.
        out: The output folder.

    Raises:
        UserError: A path does not exist, a folder holds none, two would be written to one place,
            or a drawing to that of a picture.
    """
    found = [pair for path in paths for pair in _below(path, PICTURES + VIDEOS, out)]
    sources: dict[Path, Path] = {}
    for path, name in found:
        name = written_name(name)
        if name in sources:
            raise UserError(
                f"{sources[name]} and {path} would both be written as {name}: rename one, or draw "
                "them into different folders"
            )
        sources[name] = path
    video = sources.get(Path(RESULTS).with_suffix("").with_suffix(".mp4"))
    if video and not all(is_video(path) for path, _ in found):
        raise UserError(
            f"the keypoints of {video} and those of the pictures would both be written as "
            f"{RESULTS}: rename it, or draw it alone"
        )
    originals = {path.resolve() for path, _ in found}
    for name, path in sources.items():
        check_target(path, out / name, originals)
    return [(path, name) for name, path in sources.items()]


def find_pictures(paths: Sequence[Path]) -> list[Path]:
    """Return the files among `paths`, and the pictures at any depth of the folders among them.

    Raises:
        UserError: A path does not exist or is a video, or a folder holds none.
    """
    for path in paths:
        if is_video(path) and path.is_file():
            raise UserError(f"{path} is a video, and only pictures are read: save frames of it")
    return [file for path in paths for file, _ in _below(path, PICTURES)]


def check_target(source: Path, target: Path, originals: Container[Path]) -> None:
    """Check that the drawing of a picture takes the place of no picture.

    Args:
        source: The picture.
        target: Its drawing.
        originals: All pictures, resolved.

    Raises:
        UserError: It takes that of one of them, or of a file beside its own picture.
    """
    place = target.resolve()
    beside = place.parent == source.resolve().parent and target.exists()
    if place in originals or beside:
        raise UserError(
            f"the drawing of {source} would take the place of {target}: name another --out"
        )


def _below(
    path: Path, suffixes: Sequence[str], out: Path | None = None
) -> Iterator[tuple[Path, Path]]:
    """Yield (file, its name below a folder): a file itself, or those of a folder by extension."""
    if path.is_file():
        yield path, Path(path.name)
    elif path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
        if out is not None and not path.resolve().is_relative_to(out.resolve()):
            files = [p for p in files if not p.resolve().is_relative_to(out.resolve())]
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
