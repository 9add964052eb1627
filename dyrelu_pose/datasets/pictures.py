"""Compares the pictures that are there with those that a COCO file lists, without decoding them."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from dyrelu_pose.errors import some

from .load_image import ImageError, LoadImage, has_its_end

LISTED = 100_000  # pictures of a set that are looked for
OPENED = 5_000  # and whose header is read: about 0.1 ms each from a local disk
NAMED = 5  # that an error lists
DECODED = 5  # to be sure that an odd header means what it seems to
DOUBTFUL = 50  # and of those whose first or last bytes are unusual: about 10 ms each


@dataclass(frozen=True)
class Disagreement:
    """Pictures that are not as their annotation file says.

    Args:
        text: Names the first of them.
        number: How many they are.
        of: Of how many that were looked at.
    """

    text: str
    number: int
    of: int

    @property
    def few(self) -> bool:
        """Whether most of them are as they should be."""
        return 2 * self.number <= self.of

    def __str__(self) -> str:
        return self.text


def missing_pictures(
    images: Sequence[dict], folder: str | Path, ann_file: str | Path
) -> Disagreement | None:
    """Look for the pictures, by one listing per folder.

    Args:
        images: Entries of the annotation file.
        folder: What their file names start from.
        ann_file: The annotation file, for the text.
    """
    names = [image["file_name"] for image in sample(images, LISTED)]
    by_folder = defaultdict(list)
    for name in names:
        by_folder[os.path.dirname(os.path.join(folder, name))].append(name)
    missing = []
    for below, wanted in by_folder.items():
        there = _files(below)
        missing += [name for name in wanted if os.path.basename(name) not in there]
    # It may be there in another case, or another form of its letters.
    missing = [name for name in missing if not os.path.isfile(os.path.join(folder, name))]
    if not missing:
        return None
    text = (
        f"{len(missing)} of the {len(names)} images of {ann_file} are not in {folder}: "
        f"{some(missing, NAMED)}; {_remedy(folder, missing[0])}"
    )
    return Disagreement(text, len(missing), len(names))


def _remedy(folder: str | Path, name: str) -> str:
    """Return what to do about a picture that is not there: it may be, by nearly the same name."""
    if os.path.isfile(os.path.join(folder, name.replace("\\", "/"))):
        return "they are there if folders are written with / instead of \\"
    below = os.path.dirname(os.path.join(folder, name))
    form = normalize("NFC", os.path.basename(name))
    if any(normalize("NFC", other) == form for other in _files(below)):
        return "they are there with other code points for the same letters (Unicode NFC, NFD)"
    return "copy them there"


def other_sizes(images: Sequence[dict], folder: str | Path, load: LoadImage) -> Disagreement | None:
    """Compare sizes in the headers of the pictures with those of their entries.

    Args:
        images: Entries of the annotation file.
        folder: What their file names start from.
        load: The step that loads them, which may turn them by their EXIF tag.
    """
    looked = sample(images, OPENED)
    odd = []
    for image in looked:
        path, expected = os.path.join(folder, image["file_name"]), (image["height"], image["width"])
        if (shape := load.shape_in_header(path)) and shape != expected:
            odd.append(dict(img_path=path, img_shape=expected))
    for entry in odd[:DECODED]:
        try:
            load(entry)
        except ImageError as error:
            of_all = f" ({len(odd)} of {len(looked)} images like this)"
            return Disagreement(f"{error}{of_all}", len(odd), len(looked))
    return None


def damaged_pictures(
    images: Sequence[dict], folder: str | Path, load: LoadImage
) -> Disagreement | None:
    """Look for pictures that are truncated or none at all, by their first and last bytes.

    What is wrong between those is found when the picture is loaded.

    Args:
        images: Entries of the annotation file.
        folder: What their file names start from.
        load: The step that loads them.
    """
    looked = sample(images, OPENED)
    paths = [os.path.join(folder, image["file_name"]) for image in looked]
    doubtful = [path for path in paths if not _is_whole(path)]
    damaged = []
    for path in doubtful[:DOUBTFUL]:
        try:
            load(dict(img_path=path))
        except ImageError as error:
            damaged.append(str(error))
    if not damaged:
        return None
    more = f" ({len(damaged)} of {len(looked)} images are damaged)"
    return Disagreement(damaged[0] + more, len(damaged), len(looked))


def _is_whole(path: str) -> bool:
    try:
        return bool(has_its_end(path))
    except OSError:  # which loading names
        return False


def sample(items: Sequence, number: int) -> Sequence:
    """Return at most `number` items, evenly spaced."""
    return items[:: -(-len(items) // number)] if len(items) > number else items


def _files(folder: str) -> set[str]:
    try:
        with os.scandir(folder or ".") as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except OSError:
        return set()
