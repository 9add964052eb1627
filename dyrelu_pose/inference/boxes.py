"""Person boxes from a file, whoever detected them."""

import json
import reprlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from dyrelu_pose.datasets.bad_entries import has_lists
from dyrelu_pose.datasets.checks import box_problem, entries_of, is_number, name_of
from dyrelu_pose.datasets.detections import PERSON
from dyrelu_pose.datasets.doubts import FRACTION
from dyrelu_pose.errors import UserError

from .files import PICTURES

FORMATS = (
    "expected are COCO annotations, COCO detections whose image_id is a picture's name or number, "
    'or {"picture.jpg": [[left, top, width, height], ...]}'
)

T = TypeVar("T")


@dataclass
class Listed:
    """A picture in a file of boxes.

    Attributes:
        name: What the file calls it.
        id: Its number there; None if the file has none.
        boxes: Left, top, right, bottom of each person in pixels.
    """

    name: str
    id: int | None = None
    boxes: list[tuple[float, ...]] = field(default_factory=list)


class Boxes:
    """The person boxes of a JSON file, looked up by the picture that they are in.

    Args:
        path: COCO annotations (`images` with `file_name`, `annotations` with `bbox`), a list of
            COCO detections (`image_id`, `bbox`, `score`), or a dict of boxes by file name; boxes
            are left, top, width, height in pixels. A name may have folders in front, and need not
            have an extension. A frame of a video goes by its number, from 0, which may be in a
            folder of the video's name.
        threshold: Detections with a lower score are left out.

    Attributes:
        category: Number of the category that the boxes are of.
        unsure: How many detections were left out for their score.

    Raises:
        UserError: The file is missing, holds no boxes in one of these forms, or boxes of several
            categories none of which is that of persons; or an entry cannot be right.
    """

    def __init__(self, path: str | Path, threshold: float = 0.3) -> None:
        try:
            content = json.loads(Path(path).read_bytes())
        except FileNotFoundError:
            raise UserError(f"boxes {path}: no such file") from None
        except IsADirectoryError:
            raise UserError(f"boxes {path}: a folder, not a file") from None
        except ValueError as error:
            raise UserError(f"boxes {path}: not valid JSON ({error})") from error
        try:
            listed, found, kinds = _parse(content)
            sure = [entry for entry in found if entry.get("score", 1) >= threshold]
            self.category = _fill(listed, sure, kinds)
        except ValueError as error:
            raise UserError(f"boxes {path}: {error}; {FORMATS}") from error
        self.path, self.unsure = path, len(found) - len(sure)
        by_stem = defaultdict(list)
        for entry in listed.values():
            by_stem[_steps(entry.name)[-1]].append(entry)
        self._by_stem = dict(by_stem)

    def find(self, path: Path, name: Path) -> Listed | None:
        """Return the entry of a picture, or None if the file does not list it.

        Args:
            path: The picture.
            name: What of its path an entry with folders has to agree with.

        Raises:
            UserError: Several entries fit as well.
        """
        steps = _steps(name)
        same = self._by_stem.get(steps[-1], ())
        fitting = [entry for entry in same if _agree(_steps(entry.name), steps)]
        best = _best(fitting, lambda entry: _closeness(entry.name, path, name))
        if len(best) > 1:
            raise self._ambiguous(str(name), [entry.name for entry in best])
        return best[0] if best else None

    def assign(self, pictures: Sequence[tuple[Path, Path]]) -> list[Listed | None]:
        """Return the entry of each picture; none is of two.

        Args:
            pictures: Each as `find` takes it.

        Raises:
            UserError: Several pictures fit an entry as well, or the other way round.
        """
        found = [self.find(*picture) for picture in pictures]
        owners: dict[int, list[int]] = defaultdict(list)
        for i, entry in enumerate(found):
            if entry is not None:
                owners[id(entry)].append(i)
        for fitting in owners.values():
            name = next(entry.name for entry in (found[i] for i in fitting) if entry)
            best = _best(fitting, lambda i, name=name: _closeness(name, *pictures[i]))
            if len(best) > 1:
                raise self._ambiguous(name, [str(pictures[i][1]) for i in best])
            for i in set(fitting) - set(best):
                found[i] = None
        return found

    def _ambiguous(self, name: str, fitting: list[str]) -> UserError:
        return UserError(
            f"boxes {self.path}: {name} may be {' or '.join(fitting[:3])}: the file has to have "
            "the folders of pictures of one name"
        )


def _steps(name: str | Path) -> tuple[str, ...]:
    """Return folders and name of a picture, without extension and the zeros of a COCO number."""
    steps = [step for step in str(name).replace("\\", "/").split("/") if step not in ("", ".")]
    stem = steps.pop() if steps else ""
    if stem.lower().endswith(PICTURES):
        stem = stem.rpartition(".")[0]
    return (*steps, str(int(stem)) if stem.isdecimal() else stem)


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one path is the end of the other."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]


def _closeness(listed: str, path: Path, name: Path) -> tuple:
    """Return how well an entry fits a picture, to be compared."""
    pairs = zip(reversed(_steps(listed)), reversed(_steps(path.absolute())), strict=False)
    same = [one == other for one, other in pairs]
    common = same.index(False) if False in same else len(same)
    return common, _steps(listed) == _steps(name), listed.endswith(path.suffix)


def _best(items: Iterable[T], key) -> list[T]:
    """Return the items with the highest key."""
    items = list(items)
    highest = max(map(key, items), default=None)
    return [item for item in items if key(item) == highest]


def _parse(content: object) -> tuple[dict[int | str, Listed], list[dict], list[dict]]:
    """Return the pictures that a file lists, by their ids, its boxes, and its categories.

    Raises:
        ValueError: It has none of the three forms, or an entry cannot be right.
    """
    if isinstance(content, list):
        _check((f"entry {i}", entry) for i, entry in enumerate(content))
        listed = {entry["image_id"]: _numbered(entry["image_id"]) for entry in content}
        return listed, content, []
    if not isinstance(content, dict):
        raise ValueError(f"the file holds a {type(content).__name__}")
    if "annotations" not in content:
        found = list(_annotations(content))
        _check((f"a box of {entry['image_id']}", entry) for entry in found)
        return {name: Listed(name) for name in content}, found, []
    if not has_lists(content):
        raise ValueError("it has no lists 'images' and 'annotations'")
    listed, found = _images(content["images"]), content["annotations"]
    names = (f"annotation {name_of(entry, i)}" for i, entry in enumerate(found))
    _check(zip(names, found, strict=True), listed)
    return listed, found, entries_of(content, "categories")


def _annotations(boxes: dict) -> Iterator[dict]:
    for name, found in boxes.items():
        if not isinstance(found, list):
            raise ValueError(f"{name} has {reprlib.repr(found)}, not a list of boxes")
        yield from (dict(image_id=name, bbox=box) for box in found)


def _images(images: list) -> dict[int | str, Listed]:
    listed: dict[int | str, Listed] = {}
    for i, image in enumerate(images):
        if not isinstance(image, dict) or type(image.get("id")) not in (int, str):
            raise ValueError(f"image {name_of(image, i)} has no id, a whole number or a name")
        number, name = image["id"], image.get("file_name")
        if not isinstance(name, str):
            raise ValueError(f"image {number} has the file_name {name!r}, not a string")
        if number in listed:
            raise ValueError(f"{listed[number].name} and {name} have the same id, {number}")
        listed[number] = Listed(name, number)
    return listed


def _check(named: Iterable[tuple[str, object]], images: dict | None = None) -> None:
    """Check what is called a box, given with what to call it, and the images it may be of.

    Raises:
        ValueError: One cannot be right.
    """
    for name, entry in named:
        if problem := _problem(entry, images):
            raise ValueError(f"{name} {problem}")


def _problem(entry: object, images: dict | None) -> str | None:
    if not isinstance(entry, dict):
        return f"is {reprlib.repr(entry)}, not a dict"
    image, category = entry.get("image_id"), entry.get("category_id", PERSON)
    if type(image) not in (int, str):
        return f"has the image_id {image!r}, neither a whole number nor a name"
    if images is not None and image not in images:
        return f"is of image {image!r}, which is not among the images"
    if not isinstance(category, int | str):
        return f"has the category_id {category!r}, not a whole number"
    if not is_number(entry.get("score", 1)):
        return f"has the score {entry['score']!r}, not a number"
    return box_problem(entry.get("bbox"))


def _fill(listed: dict[int | str, Listed], found: list[dict], kinds: list[dict]) -> int:
    """Give pictures the boxes of persons, and return the number of their category."""
    if found and all(abs(value) <= FRACTION for entry in found for value in entry["bbox"]):
        raise ValueError("the boxes are from 0 to 1, and not in pixels")
    category = _category({entry.get("category_id", PERSON) for entry in found}, kinds)
    for entry in found:
        if entry.get("category_id", PERSON) == category:
            image = listed[entry["image_id"]]
            left, top, width, height = entry["bbox"]
            if not (width > 0 and height > 0):
                raise ValueError(f"a box of {image.name} is {width} x {height} pixels")
            image.boxes.append((left, top, left + width, top + height))
    return category


def _numbered(image_id: int | str) -> Listed:
    return Listed(str(image_id), image_id if isinstance(image_id, int) else None)


def _category(found: set, kinds: list[dict]) -> int:
    """Return the category of persons among those of the boxes, or the only one."""
    persons = {kind["id"] for kind in kinds if kind.get("name") == "person"} or {PERSON}
    chosen = found if len(found) == 1 else found & persons
    if len(chosen) > 1 or found and not chosen:
        numbers = ", ".join(sorted(map(str, found)))
        raise ValueError(f"boxes of the categories {numbers}: leave in those of one")
    category = next(iter(chosen), PERSON)
    if not isinstance(category, int):
        raise ValueError(f"category_id {category!r} is not a number")
    return category
