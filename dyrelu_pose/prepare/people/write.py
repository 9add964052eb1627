"""Writes scenes as a data set in the COCO layout, the same bytes for the same parameters."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from dyrelu_pose.datasets.coco_keypoints import KEYPOINTS, LIMB_INDICES
from dyrelu_pose.errors import UserError
from dyrelu_pose.prepare.folder import PEOPLE, DataFolder, annotation_file, write_compact_json
from dyrelu_pose.prepare.pool import ordered_map

from .scene import Person, draw_scene

SPLITS = ("train", "val")
JPEG_QUALITY = 92
# Goes into meta.json: raise it when the same seed draws other pictures than before.
GENERATOR_VERSION = 1
# Picture numbers of the two splits do not meet, so that a mix-up of files shows at once.
FIRST_ID = {"train": 1, "val": 900_001}

CATEGORY = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(KEYPOINTS),
    "skeleton": [[a + 1, b + 1] for a, b in LIMB_INDICES],  # COCO counts keypoints from 1
}


@dataclass(frozen=True)
class Parameters:
    """What decides the content of a data set.

    Args:
        train: Number of training pictures.
        val: Number of validation pictures.
        seed: Seed of everything random. Picture i depends on the seed, its split and i alone.
        width: Columns of a picture, pixels.
        height: Rows of a picture, pixels.

    Raises:
        UserError: There is no picture in a split, the seed is negative or a side is below 96.
    """

    train: int = 2000
    val: int = 200
    seed: int = 0
    width: int = 256
    height: int = 256

    def __post_init__(self):
        if self.train < 1 or self.val < 1:
            raise UserError(f"train={self.train}, val={self.val}: each needs at least 1 picture")
        if self.seed < 0:
            raise UserError(f"seed={self.seed}: it cannot be negative")
        if min(self.width, self.height) < 96:
            size = f"{self.width}x{self.height}"
            raise UserError(f"size {size}: people are not to be recognised below 96 pixels a side")


def make_dataset(
    out: Path,
    parameters: Parameters,
    workers: int = 1,
    force: bool = False,
    progress: Callable[[Iterable, int, str], Iterable] = lambda items, total, text: items,
) -> bool:
    """Write a data set, unless the same one is there already.

    The layout is OUT/{train,val}/*.jpg, OUT/annotations/person_keypoints_{train,val}.json and
    OUT/meta.json, which is marked complete last: an interrupted run is noticed and done again.

    Args:
        out: Folder to write; made where it does not exist.
        parameters: What to draw.
        workers: Number of processes; the result does not depend on it.
        force: Replace a data set of other parameters.
        progress: A function of (iterable, total, description) that yields the iterable's items,
            for instance to show a bar.

    Returns:
        Whether anything was written.

    Raises:
        UserError: See `DataFolder.is_due`.
    """
    wanted = {"generator_version": GENERATOR_VERSION, **asdict(parameters)}
    folder = DataFolder(out, PEOPLE, wanted, (*SPLITS, "annotations"))
    if not folder.is_due(force):
        return False
    with folder.writing(), ordered_map(workers) as in_order:
        for split in SPLITS:
            count = getattr(parameters, split)
            # The processes start here, before a progress bar starts a thread of its own.
            items = in_order(partial(_write_image, out, parameters, split), range(count))
            items = progress(items, count, f"{split} pictures")
            write_compact_json(annotation_file(out, split), _coco(items))
    return True


def draw_image(parameters: Parameters, split: str, index: int):
    """Draw one picture of a split; returns its `Scene`."""
    seeds = np.random.SeedSequence((parameters.seed, SPLITS.index(split), index))
    return draw_scene(np.random.default_rng(seeds), (parameters.width, parameters.height))


def _write_image(
    out: Path, parameters: Parameters, split: str, index: int
) -> tuple[dict, list[dict]]:
    """Draw and write one picture; return its image entry and its annotations."""
    scene = draw_image(parameters, split, index)
    image_id = FIRST_ID[split] + index
    name = f"{image_id:06d}.jpg"
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    data = cv2.imencode(".jpg", scene.picture[..., ::-1], quality)[1]
    (out / split / name).write_bytes(data.tobytes())
    image = {
        "id": image_id,
        "file_name": name,
        "width": parameters.width,
        "height": parameters.height,
    }
    return image, [_annotation(person, image_id, i) for i, person in enumerate(scene.people)]


def _coco(items: Iterable[tuple[dict, list[dict]]]) -> dict:
    """Gather the entries of all pictures into the content of an annotation file."""
    images, annotations = [], []
    for image, people in items:
        images.append(image)
        annotations.extend(people)
    return {
        "info": {"description": "Drawn figures, made by dyrelu_pose", "version": "1.0"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }


def _annotation(person: Person, image_id: int, place: int) -> dict:
    flat = []
    for x, y, v in person.keypoints.tolist():
        flat += [round(x, 1), round(y, 1), int(v)]
    return {
        "id": image_id * 10 + place,
        "image_id": image_id,
        "category_id": CATEGORY["id"],
        "bbox": list(person.box),
        "area": person.area,
        "segmentation": [],
        "iscrowd": 0,
        "num_keypoints": int((person.keypoints[:, 2] > 0).sum()),
        "keypoints": flat,
    }
