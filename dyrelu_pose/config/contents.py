"""Check that annotation files and pictures agree, before anything is built or written."""

import logging
from collections.abc import Mapping, Sequence, Set
from os.path import join, normpath
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from dyrelu_pose.datasets.bad_entries import (
    check_labelled,
    checked,
    has_lists,
    read_annotations,
)
from dyrelu_pose.datasets.coco import (
    CheckedAnnotations,
    keypoints_of,
    no_collection,
    nobody,
    reads_lists,
)
from dyrelu_pose.datasets.crop_array import CropArrayDataset
from dyrelu_pose.datasets.detections import read_detections
from dyrelu_pose.datasets.load_image import ImageError, LoadImage, loading_step
from dyrelu_pose.datasets.persons import reason_to_skip
from dyrelu_pose.datasets.pictures import damaged_pictures, missing_pictures, other_sizes
from dyrelu_pose.errors import AnnotationError

from .errors import ConfigError
from .evaluators import compares
from .files import MissingFilesError
from .parts import data_sets, registered


def check_contents(cfg: Config, splits: Sequence[str]) -> None:
    """Check the data sets of `splits` ('train', 'val', 'test') that are in the COCO format.

    What is wrong in a few entries is up to the data set, which leaves them out or warns. Warned of
    are two images of one file, and pictures that are trained on and evaluated.

    Raises:
        AnnotationError: An entry cannot be right, or most of a file looks wrong.
        ConfigError: The loader leaves out all that there is, or names what is not there.
        MissingFilesError: Pictures are not there.
        ImageError: Pictures have another size than the file says, or are damaged.
    """
    pictures: dict[str, set[str]] = {split: set() for split in splits}
    for split in splits:
        for key, config, transforms in data_sets(cfg, split):
            dataset = _unread(config)
            if dataset is None or "://" in str(dataset.ann_file):
                continue
            if not Path(str(dataset.ann_file)).is_file():
                raise ConfigError(
                    f"{key}.ann_file of the config is {config.get('ann_file')!r}: it has to be "
                    "the file of annotations"
                )
            with no_collection():
                images, samples = _shown(dataset, not dataset.bbox_file or compares(cfg, split))
            left = _check_indices(dataset, samples, key)
            if key == f"{split}_dataloader.dataset":  # and in no other
                _check_batch(cfg[f"{split}_dataloader"], left, split)
            load = loading_step(transforms)
            if _reads_files(dataset, load):
                _check_pictures(dataset, images, load)
            files = _files_of(dataset, images)
            if dataset._indices is None:
                pictures[split].update(files)
    _warn_of_shared(pictures)


def _unread(config: dict) -> BaseCocoStyleDataset | None:
    """Return a data set that has not read its file, or None if its class reads other files."""
    kind = registered(DATASETS, config)
    if not (isinstance(kind, type) and reads_lists(kind)):
        return None
    options = {key: value for key, value in config.items() if key not in ("type", "pipeline")}
    try:
        return kind(**options | dict(lazy_init=True))
    except Exception:  # whoever builds it in earnest names its key
        return None


def _shown(dataset: BaseCocoStyleDataset, with_truths: bool) -> tuple[list[dict], int]:
    """Return the images that a data set shows, and the number of its samples: images, or persons.

    Args:
        dataset: The data set.
        with_truths: Whether its persons have to be in its file, not only pictures for its boxes.
    """
    content = _read(dataset, with_truths)
    samples = _samples(dataset, content)
    shown = {*samples}
    return [image for image in content["images"] if image["id"] in shown], len(samples)


def _read(dataset: BaseCocoStyleDataset, with_truths: bool) -> dict:
    """Return the content of its annotation file, without what the data set leaves out."""
    ann_file, skip = str(dataset.ann_file), getattr(dataset, "skip_bad_samples", None)
    content = read_annotations(ann_file)
    if not with_truths and isinstance(content, dict):  # as of COCO's test-dev
        content.setdefault("annotations", [])
    elif has_lists(content):
        check_labelled(content, ann_file)
    content, notes = checked(content, ann_file, keypoints_of(dataset), skip)
    if not isinstance(dataset, CheckedAnnotations):  # which will say so itself
        for note in notes:
            print_log(note, "current", logging.WARNING)
    return content


def _samples(dataset: BaseCocoStyleDataset, content: dict) -> list[int]:
    """Return the id of the image of each sample: of each person or, bottom-up, each image."""
    ann_file, annotations = str(dataset.ann_file), content["annotations"]
    if dataset.bbox_file:
        skip = getattr(dataset, "skip_bad_samples", False)
        boxes = read_detections(dataset.bbox_file, content, ann_file, skip)
        lowest = (dataset.filter_cfg or {}).get("bbox_score_thr", 0)
        return [box["image_id"] for box in boxes if not box["score"] < lowest]
    images = {image["id"]: image for image in content["images"]}
    if dataset.data_mode == "bottomup":
        with_persons = {entry["image_id"] for entry in annotations}
        samples = [*(images if dataset.test_mode else with_persons)]
    else:
        only_class_knows = keypoints_of(dataset) is None
        samples = [
            entry["image_id"]
            for entry in annotations
            if only_class_knows or reason_to_skip(entry, images[entry["image_id"]]) is None
        ]
    if not samples:
        raise AnnotationError(nobody(ann_file))
    return [id for id in samples if id % dataset.sample_interval == 0]


def _check_indices(dataset: BaseCocoStyleDataset, samples: int, key: str) -> int:
    """Return how many of the samples of a data set its `indices` leave."""
    if not samples:
        raise ConfigError(
            f"{key} of the config has no sample: its sample_interval is {dataset.sample_interval}, "
            f"its filter_cfg {dataset.filter_cfg}"
        )
    if (indices := dataset._indices) is None:
        return samples
    several = isinstance(indices, Sequence)
    if not all(isinstance(index, int) for index in (indices if several else [indices])):
        raise ConfigError(
            f"{key}.indices of the config is {indices!r}: it has to be a whole number, or a list"
        )
    if beyond := [i for i in indices if not -samples <= i < samples] if several else ():
        raise ConfigError(
            f"{key}.indices of the config has {beyond[0]}, and there are {samples} samples"
        )
    left = len(indices) if several else min(abs(indices), samples)
    if not left:
        raise ConfigError(f"{key}.indices of the config is {indices!r}: that leaves no sample")
    return left


def _check_batch(loader: dict, samples: int, split: str) -> None:
    batch = loader.get("batch_size", 1)
    if loader.get("drop_last") and "batch_sampler" not in loader and samples < batch:
        raise ConfigError(
            f"{split}_dataloader of the config has drop_last=True and batch_size={batch}, and its "
            f"data set {samples} samples: that leaves no batch"
        )


def _check_pictures(dataset: BaseCocoStyleDataset, images: Sequence[dict], load: LoadImage) -> None:
    folder = dataset.data_prefix.get("img", "")
    # In training a few are skipped, and counted, by the step that loads them.
    tolerant = getattr(dataset, "skip_bad_samples", False) and not dataset.test_mode
    missing = missing_pictures(images, folder, str(dataset.ann_file))
    if dataset._indices is not None:  # some samples: not all of the file's pictures have to be here
        if missing and missing.number == missing.of:
            raise MissingFilesError(str(missing))
        return
    if missing and not (tolerant and missing.few):
        raise MissingFilesError(str(missing))
    for odd in (other_sizes(images, folder, load), damaged_pictures(images, folder, load)):
        if odd and not (tolerant and odd.few):
            raise ImageError(str(odd))


def _files_of(dataset: BaseCocoStyleDataset, images: Sequence[dict]) -> dict[str, dict]:
    """Return the image of each file that a data set reads; warn of files that have two."""
    files, twice = {}, []
    for image in images:
        path = normpath(join(dataset.data_prefix.get("img", ""), image["file_name"]))
        if files.setdefault(path, image) is not image:
            twice.append(image)
    if twice:
        name = twice[0]["file_name"]
        print_log(
            f"annotation file {dataset.ann_file}: image {twice[0]['id']} has the file_name of "
            f"another, {name} ({len(twice)} of {len(images)} images like this): the persons of "
            "both are looked for in that one picture",
            "current",
            logging.WARNING,
        )
    return files


def _warn_of_shared(pictures: Mapping[str, Set[str]]) -> None:
    for split, evaluated in pictures.items():
        shared = evaluated & pictures.get("train", set()) if split != "train" else None
        if shared:
            print_log(
                f"{len(shared)} of the {len(evaluated)} pictures of {split}_dataloader are in "
                f"train_dataloader as well, such as {min(shared)}: what is measured on them says "
                "little about others",
                "current",
                logging.WARNING,
            )


def _reads_files(dataset: BaseCocoStyleDataset, load: LoadImage) -> bool:
    """Whether it reads pictures from a disk."""
    backend = (load.backend_args or load.file_client_args or {}).get("backend", "local")
    return (
        not isinstance(dataset, CropArrayDataset)
        and "://" not in dataset.data_prefix.get("img", "")
        and backend in ("local", "disk")
    )
