"""MMPose's data sets in the COCO format with their annotations checked."""

import gc
import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
from mmengine.dataset import force_full_init
from mmengine.logging import print_log
from mmpose.datasets import CocoDataset as MMPoseCocoDataset
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from dyrelu_pose.errors import AnnotationError, UserError

from .bad_entries import checked, read_annotations
from .detections import persons_of, read_detections


class CheckedAnnotations(BaseCocoStyleDataset):
    """A base to put before a data set of MMPose: an entry that cannot be right is an error.

    What looks wrong is a warning in the log, or an error if it is most of the file. Kept are the
    pickled persons in one array, which the workers of a loader share with the process that forked
    them.

    Args:
        skip_bad_samples: Leave such entries out, and in training damaged images too, with a count
            in the log, instead of stopping.
        *args, **kwargs: See `mmpose.datasets.CocoDataset`.

    Raises:
        AnnotationError: Names the file, the first entry, and how many there are.
    """

    def __init__(self, *args, skip_bad_samples: bool = False, **kwargs) -> None:
        self.skip_bad_samples = skip_bad_samples
        self.picture_shapes = np.zeros((0, 3), np.int64)  # (n, 3) id, height and width of images
        super().__init__(*args, **kwargs)

    def full_init(self) -> None:
        """Read the annotation file, unless it has been."""
        with no_collection():
            super().full_init()

    def load_data_list(self) -> list[dict]:
        """Return the persons (or, bottom-up, images) of the annotation file.

        Raises:
            AnnotationError: See the class; or there is nobody.
        """
        found = super().load_data_list()
        if not found:
            raise AnnotationError(nobody(self.ann_file))
        return found

    @force_full_init
    def prepare_data(self, idx: int) -> dict | None:
        """Return a sample, for whose picture `img_shape` is what the annotation file says.

        `LoadImage` compares it, in this pipeline or in that of a data set around this one, and
        reads `skip_bad_samples`. See `mmpose.datasets.datasets.base.BaseCocoStyleDataset`.
        """
        person = self.get_data_info(idx)
        person["dataset"] = self
        person["skip_bad_samples"] = self.skip_bad_samples and not self.test_mode
        if isinstance(person["img_path"], str):  # not the frames of a video
            row = np.searchsorted(self.picture_shapes[:, 0], person["img_id"])
            for id, *shape in self.picture_shapes[row : row + 1].tolist():
                if id == person["img_id"]:
                    person["img_shape"] = tuple(shape)
        return self.pipeline(person)

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Return a person as MMPose does, or None, but with the annotation itself, not a copy.

        What it has twice, such as its polygon, is pickled once. See `mmpose.datasets.CocoDataset`.
        """
        annotation = raw_data_info["raw_ann_info"]
        try:
            raw_data_info = dict(raw_data_info, raw_ann_info=_Uncopied(annotation))
            person = super().parse_data_info(raw_data_info)
        except Exception as error:
            problem = (
                f"{type(self).__name__} cannot read annotation {annotation.get('id')}: {error!r}"
            )
            raise _UnreadableError(problem) from error
        if person is not None and "raw_ann_info" in person:
            person["raw_ann_info"] = annotation
        return person

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        loaded, failure = ([], []), None
        try:
            loaded = super()._load_annotations()
            content = self.coco.dataset
        except UserError:
            raise
        except Exception as error:  # anything, from deep inside pycocotools or MMPose
            failure = error
            content = read_annotations(self.ann_file)
        kept, notes = checked(content, self.ann_file, keypoints_of(self), self.skip_bad_samples)
        if failure is not None and kept is content:
            problem = failure if isinstance(failure, _UnreadableError) else repr(failure)
            raise AnnotationError(
                f"annotation file {self.ann_file} is not in the COCO format: {problem}"
            ) from failure
        for note in notes:
            print_log(note, "current", logging.WARNING)
        instances, images = loaded if kept is content else self._load_rest(kept)
        if keypoints_of(self) is None:
            self._check_number_of_keypoints(instances)
        sized = [image for image in images if "height" in image and "width" in image]
        shapes = [(image["img_id"], image["height"], image["width"]) for image in sized]
        self.picture_shapes = np.array(sorted(shapes), np.int64).reshape(-1, 3)
        return instances, images

    def _check_number_of_keypoints(self, instances: list[dict]) -> None:
        """Check what a class has read in a way of its own."""
        wanted = self.metainfo["num_keypoints"]
        for instance in instances:
            if (found := instance["keypoints"].shape[1]) != wanted:
                raise AnnotationError(
                    f"annotation file {self.ann_file}: annotation {instance['id']} has {found} "
                    f"keypoints, not {wanted}"
                )

    def _load_detection_results(self) -> list[dict]:
        assert self.bbox_file is not None  # which is why this is called
        truths = cast(dict, read_annotations(self.ann_file))  # by now it is known to be one
        self._metainfo["CLASSES"] = truths.get("categories")
        found = read_detections(self.bbox_file, truths, self.ann_file, self.skip_bad_samples)
        folder, keypoints = self.data_prefix["img"], self.metainfo["num_keypoints"]
        return list(persons_of(found, truths, folder, keypoints))

    def _load_rest(self, content: dict) -> tuple[list[dict], list[dict]]:
        ann_file = self.ann_file
        with tempfile.TemporaryDirectory() as folder:
            self.ann_file = str(Path(folder, "rest.json"))
            Path(self.ann_file).write_text(json.dumps(content), encoding="utf-8")
            try:
                return super()._load_annotations()
            finally:
                self.ann_file = ann_file


@DATASETS.register_module(force=True)
class CocoDataset(CheckedAnnotations, MMPoseCocoDataset):
    """MMPose's CocoDataset with its annotations checked, see `CheckedAnnotations`.

    It takes MMPose's name in the registry, so that every config has it.
    """


def reads_lists(kind: type) -> bool:
    """Whether a class takes images and annotations from a file as `BaseCocoStyleDataset` does."""
    return issubclass(kind, BaseCocoStyleDataset) and _is_plain(kind, "_load_annotations")


def reads_plain_coco(kind: type) -> bool:
    """Whether it also takes an annotation's box and keypoints as that does."""
    return reads_lists(kind) and _is_plain(kind, "parse_data_info")


def keypoints_of(dataset: BaseCocoStyleDataset) -> int | None:
    """Return how many keypoints an annotation has to have, None if only the class knows."""
    return dataset.metainfo["num_keypoints"] if reads_plain_coco(type(dataset)) else None


def nobody(ann_file: str) -> str:
    """Return what to say of a file without anybody to train on."""
    return f"annotation file {ann_file} has nobody with labelled keypoints and a box"


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep Python's collector off while annotations are read.

    It would look again and again through millions of objects of which none is garbage.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_plain(kind: type, name: str) -> bool:
    """Whether a method is that of `BaseCocoStyleDataset`, with or without its checks."""
    owner = next(c for c in kind.__mro__ if c is not CheckedAnnotations and name in vars(c))
    return owner is BaseCocoStyleDataset


class _UnreadableError(Exception):
    """The class of a data set cannot read an annotation; the message has its id."""


class _Uncopied(dict):
    """A dict that `copy.deepcopy` returns as it is."""

    def __deepcopy__(self, memo: dict) -> "_Uncopied":
        return self
