"""MMPose's CocoDataset with its annotations checked."""

import gc
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.logging import print_log
from mmpose.datasets import CocoDataset as MMPoseCocoDataset
from mmpose.registry import DATASETS

from dyrelu_pose.errors import AnnotationError, UserError

from .bad_entries import bad_records, has_lists, without

Transform = dict | Callable  # a config, or built


@DATASETS.register_module(force=True)
class CocoDataset(MMPoseCocoDataset):
    """MMPose's CocoDataset, except that entries which cannot be right are an error.

    It takes MMPose's name in the registry, so that every config has it. What it keeps are the
    pickled persons in one array, which the workers of a loader share with the process that forked
    them.

    Args:
        skip_bad_samples: Leave such entries out, and in training damaged images too, with a count
            in the log, instead of stopping.
        *args, **kwargs: See `mmpose.datasets.CocoDataset`.

    Raises:
        AnnotationError: Names the file, the first entry, and how many there are.
    """

    def __init__(
        self,
        *args,
        skip_bad_samples: bool = False,
        pipeline: Sequence[Transform] = (),
        **kwargs,
    ) -> None:
        self.skip_bad_samples = skip_bad_samples
        transforms = list(pipeline)
        if skip_bad_samples and not kwargs.get("test_mode"):
            transforms = [_skipping(transform) for transform in transforms]
        super().__init__(*args, pipeline=transforms, **kwargs)

    def full_init(self) -> None:
        """Read the annotation file, unless it has been.

        Python's collector is off meanwhile: it would look again and again through millions of
        objects of which none is garbage.
        """
        was_on = gc.isenabled()
        gc.disable()
        try:
            super().full_init()
        finally:
            if was_on:
                gc.enable()

    def load_data_list(self) -> list[dict]:
        """Return the persons (or, bottom-up, images) of the annotation file.

        Raises:
            AnnotationError: See the class; or there is nobody.
        """
        found = super().load_data_list()
        if not found:
            raise AnnotationError(
                f"annotation file {self.ann_file} has nobody with labelled keypoints and a box"
            )
        return found

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Return a person as MMPose does, or None, but with the annotation itself, not a copy.

        What it has twice, such as its polygon, is pickled once. See `mmpose.datasets.CocoDataset`.
        """
        annotation = raw_data_info["raw_ann_info"]
        person = super().parse_data_info(dict(raw_data_info, raw_ann_info=_Uncopied(annotation)))
        if person is not None:
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
            content = json.loads(Path(self.ann_file).read_text())
        bad = list(bad_records(content, self.metainfo["num_keypoints"]))
        if failure is not None and not (bad and has_lists(content)):
            raise AnnotationError(
                f"annotation file {self.ann_file} is not in the COCO format: {failure!r}"
            ) from failure
        if not bad:
            return loaded
        entries, problems = zip(*bad, strict=True)
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        if not self.skip_bad_samples:
            raise AnnotationError(
                f"annotation file {self.ann_file}: {problems[0]}{more}; correct it, or leave such "
                "entries out by skip_bad_samples=True in the config of the data set"
            )
        print_log(
            f"{len(bad)} entries of {self.ann_file} are left out: {problems[0]}{more}",
            logger="current",
        )
        return self._load_rest(without(content, entries))

    def _load_rest(self, content: dict) -> tuple[list[dict], list[dict]]:
        ann_file = self.ann_file
        with tempfile.TemporaryDirectory() as folder:
            self.ann_file = str(Path(folder, "rest.json"))
            Path(self.ann_file).write_text(json.dumps(content))
            try:
                return super()._load_annotations()
            finally:
                self.ann_file = ann_file


class _Uncopied(dict):
    """A dict that `copy.deepcopy` returns as it is."""

    def __deepcopy__(self, memo: dict) -> "_Uncopied":
        return self


def _skipping(transform: Transform) -> Transform:
    if isinstance(transform, dict) and transform.get("type") == "LoadImage":
        return dict(transform, skip_bad_samples=True)
    return transform
