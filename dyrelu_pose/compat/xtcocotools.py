"""The interface of xtcocotools 1.14, the evaluator MMPose imports, on top of pycocotools.

xtcocotools descends from pycocotools and has no wheel for NumPy 2. `COCOeval` below lists where the
two differ. Its keypoint types, of COCO, CrowdPose (arXiv 1812.00324) and COCO-WholeBody
(arXiv 2007.11858), are defined as in its file `cocoeval.py` (github.com/jin-s13/xtcocoapi).
"""

import io
import json
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stdout
from itertools import chain
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO as _COCO
from pycocotools.cocoeval import COCOeval as _COCOeval
from pycocotools.cocoeval import Params

from dyrelu_pose.errors import AnnotationError

__all__ = ["AnnotationError", "COCO", "COCOeval", "Params"]

# Area of a person in its box, for annotations without a segmentation (CrowdPose, AIC).
AREA_PER_BOX = 0.53
BODY = ("keypoints",)
# Fields with the keypoints of each type, and of each part of a whole body.
FIELDS = {
    "keypoints": BODY,
    "keypoints_crowd": BODY,
    "keypoints_body": BODY,
    "keypoints_foot": ("foot_kpts",),
    "keypoints_face": ("face_kpts",),
    "keypoints_lefthand": ("lefthand_kpts",),
    "keypoints_righthand": ("righthand_kpts",),
    "keypoints_wholebody": (*BODY, "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"),
}
# Crowd indices where pictures of CrowdPose begin to be of medium difficulty, and hard: those of its
# evaluator, crowdposetools, as xtcocotools has it. (The paper's text is said to have 0.1 and 0.8.)
MEDIUM, HARD = 0.2, 0.8


class COCO(_COCO):
    """COCO annotations, with `iscrowd` filled in where an annotation lacks it.

    Args:
        annotation_file: path of the JSON file; None makes an empty set.

    Raises:
        AnnotationError: the file is not JSON, or not COCO's.
    """

    def __init__(self, annotation_file: str | None = None):
        super().__init__()
        if annotation_file is None:
            return
        try:
            self.dataset = json.loads(Path(annotation_file).read_bytes())  # in UTF-8, anywhere
        except ValueError as error:
            raise AnnotationError(
                f"{annotation_file} is not a JSON annotation file ({error}); "
                "it may be truncated, fetch or generate it again"
            ) from error
        if not isinstance(self.dataset, dict):
            raise AnnotationError(f"{annotation_file} is not a COCO annotation file")
        self.createIndex()
        for annotation in self.dataset.get("annotations", ()):
            annotation.setdefault("iscrowd", 0)

    def loadRes(self, resFile) -> _COCO:
        """Load the detections of `resFile`, a path or a list, which may be empty here."""
        if isinstance(resFile, str):
            resFile = json.loads(Path(resFile).read_bytes())
        if len(resFile):
            return super().loadRes(resFile)
        empty = COCO()
        empty.dataset = {**self.dataset, "annotations": []}
        empty.createIndex()
        return empty


class COCOeval(_COCOeval):
    """Keypoint AP and AR as xtcocotools computes them.

    Differences from pycocotools:

    - a detection whose keypoint scores are all 0 is left out, rather than a false positive;
    - a person counts as labelled by its keypoints' visibility, whatever `num_keypoints` says;
    - an annotation without keypoints or without a box is left out, as MMPose does in training;
    - an annotation whose id is 0 can be matched.

    `keypoints_crowd` goes by `num_keypoints`, which CrowdPose counts of the visible ones alone. Its
    `stats` are AP, AP .5, AP .75, AR, AR .5 and AR .75 over persons of all areas, and AP over the
    easy, the medium and the hard pictures, by their `crowdIndex`.

    `keypoints_foot`, `_face`, `_lefthand` and `_righthand` take the keypoints of that part, and
    its score where a detection has one (`foot_score`); `keypoints_wholebody` takes all, in the
    order body, foot, face, left and right hand. The scale is the person's for each of them.

    Args:
        cocoGt: the annotations.
        cocoDt: the detections, from `cocoGt.loadRes`.
        iouType: one of `FIELDS` (or pycocotools' `bbox` and `segm`).
        sigmas: (K,) OKS fall-off per keypoint, a fraction of the object's scale; None is COCO's.
        use_area: whether the square of an object's scale is its `area`, or 0.53 times its box.

    Raises:
        ValueError: there is no such `iouType`.
    """

    def __init__(self, cocoGt=None, cocoDt=None, iouType="keypoints", sigmas=None, use_area=True):
        if iouType not in (*FIELDS, "bbox", "segm"):
            raise ValueError(f"iou_type {iouType!r} is not one of {', '.join(FIELDS)}")
        super().__init__(cocoGt, cocoDt, iouType if iouType in ("bbox", "segm") else "keypoints")
        if sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas)
        self.use_area = use_area
        self.keypoint_type = iouType
        if self._crowd:
            self.params.areaRng = self.params.areaRng[:1]
            self.params.areaRngLbl = self.params.areaRngLbl[:1]

    @property
    def _crowd(self) -> bool:
        return self.keypoint_type == "keypoints_crowd"

    def evaluate(self) -> None:
        """Compare the detections of each image with its annotations."""
        if self.keypoint_type != self.params.iouType:
            print(f"Keypoint type *{self.keypoint_type}*")
        super().evaluate()

    def summarize(self) -> None:
        """Print the results, and keep them in `stats`."""
        if not self._crowd:
            super().summarize()
            return
        names = (
            "AP",
            "AP .5",
            "AP .75",
            "AR",
            "AR .5",
            "AR .75",
            "AP (easy)",
            "AP (medium)",
            "AP (hard)",
        )
        of_all = [
            _mean(self.eval[key][at])
            for key in ("precision", "recall")
            for at in (slice(None), self._threshold(0.5), self._threshold(0.75))
        ]
        self.stats = np.array([*of_all, *map(self._ap_of, self._levels())])
        for name, value in zip(names, self.stats, strict=True):
            print(f" {name:<12} = {value:0.3f}")

    def _threshold(self, oks: float) -> int:
        return int(np.abs(self.params.iouThrs - oks).argmin())

    def _levels(self) -> list[list]:
        """Return the ids of the easy, medium and hard images among those that are evaluated."""
        levels = [], [], []
        for image_id in self.params.imgIds:
            image = self.cocoGt.imgs[image_id]
            if "crowdIndex" not in image:
                raise AnnotationError(
                    f"image {image_id} has no 'crowdIndex', by which CrowdPose's images are easy, "
                    "medium or hard; evaluate others with iou_type='keypoints'"
                )
            levels[bisect([MEDIUM, HARD], image["crowdIndex"])].append(image_id)
        return list(levels)

    def _ap_of(self, image_ids: list) -> float:
        """Return the AP over some of the images; -1 if there is none."""
        part = COCOeval(
            self.cocoGt,
            self.cocoDt,
            self.keypoint_type,
            self.params.kpt_oks_sigmas,
            self.use_area,
        )
        part.params.imgIds = image_ids
        with redirect_stdout(io.StringIO()):
            part.evaluate()
            part.accumulate()
        return _mean(part.eval["precision"])

    def _prepare(self) -> None:
        """Fill `_gts` and `_dts`, lists of annotations by (image id, category id)."""
        if self.params.iouType != "keypoints":
            super()._prepare()  # pyright: ignore[reportAttributeAccessIssue]  # private: not in the stub
            return
        truths = [
            self._truth(annotation)
            for annotation in self._annotations(self.cocoGt)
            if {"bbox", "keypoints"} <= annotation.keys()
        ]
        # pycocotools takes a matched id of 0 for 'no match'
        shift = max(0, 1 - min((truth["id"] for truth in truths), default=1))
        for truth in truths:
            truth["id"] += shift
        self._gts = _by_image_and_category(truths)
        detections = map(self._detection, self._annotations(self.cocoDt))
        self._dts = _by_image_and_category(filter(_is_labelled, detections))

    def _annotations(self, coco: _COCO) -> Sequence[Mapping]:
        category_ids = self.params.catIds if self.params.useCats else []
        return coco.loadAnns(coco.getAnnIds(imgIds=self.params.imgIds, catIds=category_ids))

    def _truth(self, annotation: Mapping) -> dict:
        """Copy `annotation` with what pycocotools reads: `ignore`, `iscrowd`, `area`."""
        truth = {"iscrowd": 0, **annotation, "keypoints": self._keypoints(annotation)}
        labelled = self._field(truth, "num_keypoints") if self._crowd else _is_labelled(truth)
        truth["ignore"] = truth["iscrowd"] or not labelled
        if not self.use_area:
            truth["area"] = truth["bbox"][2] * truth["bbox"][3] * AREA_PER_BOX
        elif "area" not in truth:
            raise AnnotationError(
                f"annotation {truth['id']} has no 'area'; evaluate with use_area=False, "
                f"which takes {AREA_PER_BOX} times its box"
            )
        return truth

    def _detection(self, detection: Mapping) -> dict:
        """Copy `detection` with the keypoints and the score of the type."""
        part = self.keypoint_type.removeprefix("keypoints_")
        score = detection.get(f"{part}_score", detection["score"])
        return {**detection, "keypoints": self._keypoints(detection), "score": score}

    def _keypoints(self, annotation: Mapping) -> list[float]:
        fields = (self._field(annotation, name) for name in FIELDS[self.keypoint_type])
        return list(chain.from_iterable(fields))

    def _field(self, annotation: Mapping, name: str):
        if name not in annotation:
            raise AnnotationError(
                f"annotation {annotation['id']} has no {name!r}, which iou_type "
                f"{self.keypoint_type!r} needs"
            )
        return annotation[name]


def _mean(values: np.ndarray) -> float:
    """Mean of what was computed; -1, as in pycocotools, if nothing was."""
    computed = values[values > -1]
    return float(computed.mean()) if computed.size else -1.0


def _is_labelled(annotation: Mapping) -> bool:
    """Whether any keypoint has a visibility, or in a detection a score, above 0."""
    return any(score > 0 for score in annotation["keypoints"][2::3])


def _by_image_and_category(annotations: Iterable[Mapping]) -> defaultdict:
    groups = defaultdict(list)
    for annotation in annotations:
        groups[annotation["image_id"], annotation["category_id"]].append(annotation)
    return groups
