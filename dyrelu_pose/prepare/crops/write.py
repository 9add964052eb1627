"""Writes a COCO keypoint set with one small image per person, for top-down training."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from mmengine.logging import print_log

from dyrelu_pose.datasets.load_image import ImageError, LoadImage
from dyrelu_pose.datasets.pictures import OPENED, missing_pictures, other_sizes, sample
from dyrelu_pose.prepare.folder import DataFolder, annotation_file, write_compact_json
from dyrelu_pose.prepare.pool import ordered_map
from dyrelu_pose.records.files import short_digest

from .annotations import Persons, read_persons
from .person import Person, Settings, crop_persons
from .source import Source

# Goes into meta.json: raise it when the same parameters make other crops than before.
FORMAT = 1
NAMED = 5  # files that an error lists


def write_crops(
    out: Path,
    sources: Sequence[Source],
    settings: Settings,
    workers: int = 1,
    force: bool = False,
    progress: Callable[[Iterable, int, str], Iterable] = lambda items, total, text: items,
) -> Counter | None:
    """Write one crop for each person of each split, unless they are there already.

    The layout is OUT/{train,val}/*.jpg and OUT/annotations/person_keypoints_{train,val}.json.
    An image is a person: its id is that of the annotation, and the order is the one in which
    MMPose reads the original set, so that a seed draws the same batches and augmentations. What is
    in pixels is scaled with them (box, area, keypoints): object keypoint similarities stay what
    they were, but areas no longer tell medium persons from large ones. Boxes are stored as MMPose
    clips them to the image.

    Args:
        out: Folder to write; made where it does not exist.
        sources: The splits, from `read_source`.
        settings: How to store the crops.
        workers: Number of processes; the result does not depend on it.
        force: Replace a data set that is there.
        progress: A function of (iterable, total, description) that yields the iterable's items,
            for instance to show a bar.

    Returns:
        Number of annotations left out, by reason; None if there was nothing to do.

    Raises:
        UserError: See `read_persons` and `DataFolder.is_due`; or images are missing, damaged, or of
            another size than the annotation file says.
    """
    parts = (*(source.split for source in sources), "annotations")
    persons = {source: _read(source) for source in sources}
    folder = DataFolder(out, "crops", _parameters(persons, settings), parts)
    if not folder.is_due(force):
        return None
    with folder.writing(), ordered_map(workers) as in_order:
        for source in sources:
            entries = persons[source].by_image
            job = partial(crop_persons, out / source.split, source, settings)
            # The processes start here, before a progress bar starts a thread of its own.
            cropped = in_order(job, entries)
            cropped = progress(cropped, len(entries), f"{source.split} images")
            content = _coco(persons[source].content, _undamaged(cropped))
            write_compact_json(annotation_file(out, source.split), content)
    return sum((of_split.skipped for of_split in persons.values()), Counter())


def _parameters(persons: Mapping[Source, Persons], settings: Settings) -> dict:
    """Return all that decides what is written, as strings and numbers by name.

    Pictures are told apart by their names and the sizes of some of their files.
    """
    parameters: dict[str, str | float | None] = dict(format=FORMAT, **asdict(settings))
    for source, of_split in persons.items():
        names = [image["file_name"] for image, _ in of_split.by_image]
        sizes = [(name, (source.images / name).stat().st_size) for name in sample(names, OPENED)]
        parameters[f"{source.split}.annotations"] = short_digest(source.ann_file.read_bytes())
        parameters[f"{source.split}.pictures"] = short_digest(repr(sizes).encode())
        parameters[f"{source.split}.color_type"] = source.color_type
        parameters[f"{source.split}.skip_bad_samples"] = source.skip_bad_samples
        for i, augmentation in enumerate(source.augmentations):
            for name, value in asdict(augmentation).items():
                plain = "x".join(map(str, value)) if isinstance(value, tuple) else value
                parameters[f"{source.split}.pipeline.{i}.{name}"] = plain
    return parameters


def _read(source: Source) -> Persons:
    """Read the persons of a split, and find out before any work that pictures do not fit."""
    persons = read_persons(source.ann_file, source.keypoints, source.skip_bad_samples)
    for note in persons.notes:
        print_log(note, "current", logging.WARNING)
    images = [image for image, _ in persons.by_image]
    problem = missing_pictures(images, source.images, source.ann_file) or other_sizes(
        images, source.images, LoadImage(color_type=source.color_type)
    )
    if problem:
        raise ImageError(str(problem))
    return persons


def _undamaged(cropped: Iterable[list[Person] | ImageError]) -> Iterator[list[Person]]:
    """Yield the persons of each image; at the end, raise if there were damaged images."""
    damaged = []
    for result in cropped:
        if isinstance(result, ImageError):
            damaged.append(str(result))
        else:
            yield result
    if damaged:
        more = [f"and {len(damaged) - NAMED} more"] if len(damaged) > NAMED else []
        raise ImageError("\n".join([*damaged[:NAMED], *more]))


def _coco(original: dict, cropped: Iterable[list[Person]]) -> dict:
    """Gather the entries of all crops into the content of an annotation file."""
    persons = [person for of_image in cropped for person in of_image]
    return dict(
        info=dict(description="Crops of persons, made by dyrelu_pose", of=original.get("info", {})),
        licenses=original.get("licenses", []),
        images=[image for image, _ in persons],
        annotations=[annotation for _, annotation in persons],
        categories=original.get("categories", []),
    )
