"""The interface of xtcocotools 1.14, the evaluator MMPose imports, on top of pycocotools.

xtcocotools descends from pycocotools and has no wheel for NumPy 2. `COCOeval` below lists where the
two differ. Of its keypoint types this has COCO's own; those of CrowdPose and COCO-WholeBody raise.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from pycocotools.coco import COCO as _COCO
from pycocotools.cocoeval import COCOeval as _COCOeval
from pycocotools.cocoeval import Params

from dyrelu_pose.errors import AnnotationError

__all__ = ["AnnotationError", "COCO", "COCOeval", "Params"]

# Area of a person in its box, for annotations without a segmentation (CrowdPose, AIC).
AREA_PER_BOX = 0.53


class COCO(_COCO):
    """COCO annotations, with `iscrowd` filled in where an annotation lacks it.

    Args:
        annotation_file: path of the JSON file; None makes an empty set.

    Raises:
        AnnotationError: the file is not JSON.
    """

    def __init__(self, annotation_file: str | None = None):
        try:
            super().__init__(annotation_file)
        except ValueError as error:
            raise AnnotationError(
                f"{annotation_file} is not a JSON annotation file ({error}); "
                "it may be truncated, fetch or generate it again"
            ) from error
        for annotation in self.dataset.get("annotations", ()):
            annotation.setdefault("iscrowd", 0)

    def loadRes(self, resFile) -> _COCO:
        """Load the detections of `resFile`, a path or a list, which may be empty here."""
        if isinstance(resFile, str):
            with open(resFile) as file:
                resFile = json.load(file)
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
    - an annotation whose id is 0 can be matched.

    Args:
        cocoGt: the annotations.
        cocoDt: the detections, from `cocoGt.loadRes`.
        iouType: `keypoints` (or pycocotools' `bbox` and `segm`).
        sigmas: (K,) OKS fall-off per keypoint, a fraction of the object's scale; None is COCO's.
        use_area: whether the square of an object's scale is its `area`, or 0.53 times its box.

    Raises:
        NotImplementedError: an `iouType` that only xtcocotools has.
    """

    def __init__(self, cocoGt=None, cocoDt=None, iouType="keypoints", sigmas=None, use_area=True):
        if iouType not in ("keypoints", "bbox", "segm"):
            raise NotImplementedError(
                f"iou_type {iouType!r} is not in dyrelu_pose's stand-in for xtcocotools, which has "
                "'keypoints' only; CrowdPose and whole-body evaluation need the real one: "
                "pip install xtcocotools 'numpy<2'"
            )
        super().__init__(cocoGt, cocoDt, iouType)
        if sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(sigmas)
        self.use_area = use_area

    def _prepare(self) -> None:
        """Fill `_gts` and `_dts`, lists of annotations by (image id, category id)."""
        if self.params.iouType != "keypoints":
            super()._prepare()  # pyright: ignore[reportAttributeAccessIssue]  # private: not in the stub
            return
        truths = [self._truth(annotation) for annotation in self._annotations(self.cocoGt)]
        # pycocotools takes a matched id of 0 for 'no match'
        shift = max(0, 1 - min((truth["id"] for truth in truths), default=1))
        for truth in truths:
            truth["id"] += shift
        self._gts = _by_image_and_category(truths)
        self._dts = _by_image_and_category(
            detection for detection in self._annotations(self.cocoDt) if _is_labelled(detection)
        )

    def _annotations(self, coco: _COCO) -> Sequence[Mapping]:
        category_ids = self.params.catIds if self.params.useCats else []
        return coco.loadAnns(coco.getAnnIds(imgIds=self.params.imgIds, catIds=category_ids))

    def _truth(self, annotation: Mapping) -> dict:
        """Copy `annotation` with what pycocotools reads: `ignore`, `iscrowd`, `area`."""
        truth = {"iscrowd": 0, **annotation}
        truth["ignore"] = truth["iscrowd"] or not _is_labelled(truth)
        if not self.use_area:
            truth["area"] = truth["bbox"][2] * truth["bbox"][3] * AREA_PER_BOX
        elif "area" not in truth:
            raise AnnotationError(
                f"annotation {truth['id']} has no 'area'; evaluate with use_area=False, "
                f"which takes {AREA_PER_BOX} times its box"
            )
        return truth


def _is_labelled(annotation: Mapping) -> bool:
    """Whether any keypoint has a visibility, or in a detection a score, above 0."""
    return any(score > 0 for score in annotation["keypoints"][2::3])


def _by_image_and_category(annotations: Iterable[Mapping]) -> defaultdict:
    groups = defaultdict(list)
    for annotation in annotations:
        groups[annotation["image_id"], annotation["category_id"]].append(annotation)
    return groups
