"""COCO keypoint AP computed by pycocotools, whichever evaluator MMPose itself found."""

from mmengine.logging import MessageHub
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS

from dyrelu_pose.compat.xtcocotools import COCO, COCOeval
from dyrelu_pose.datasets.bad_entries import check_labelled
from dyrelu_pose.errors import AnnotationError

# In the order of COCOeval.stats.
STATS = (
    *("AP", "AP .5", "AP .75", "AP (M)", "AP (L)"),
    *("AR", "AR .5", "AR .75", "AR (M)", "AR (L)"),
)
CROWD_STATS = ("AP", "AP .5", "AP .75", "AR", "AR .5", "AR .75", "AP(E)", "AP(M)", "AP(H)")
IOU_TYPES = {"keypoints": STATS, "keypoints_crowd": CROWD_STATS}


@METRICS.register_module()
class PycocoMetric(CocoMetric):
    """MMPose's CocoMetric (same arguments, scoring, NMS and keys) evaluated by pycocotools.

    Detections without a keypoint score above 0 count neither for nor against a model, as in
    MMPose; they are left out of the results file too, so that pycocotools, which knows no such
    rule, computes the same numbers from that file.

    Args:
        ann_file: COCO annotations; None takes those of the data set that is evaluated.
        *args: see `mmpose.evaluation.metrics.CocoMetric`.
        **kwargs: likewise.

    Raises:
        AnnotationError: `ann_file` does not exist or holds no labelled person.
        ValueError: `iou_type` is neither `keypoints` nor `keypoints_crowd`.
    """

    def __init__(self, ann_file: str | None = None, *args, **kwargs):
        try:
            super().__init__(ann_file, *args, **kwargs)
        except FileNotFoundError as error:
            raise AnnotationError(
                f"annotation file {ann_file} does not exist; "
                "check ann_file of val_evaluator and test_evaluator"
            ) from error
        except AssertionError as error:
            raise AnnotationError(f"PycocoMetric(ann_file={ann_file!r}): {error}") from error
        if self.iou_type not in IOU_TYPES:
            raise ValueError(
                f"PycocoMetric computes iou_type {' and '.join(map(repr, IOU_TYPES))}, not "
                f"{self.iou_type!r}; MMPose's CocoWholeBodyMetric does the parts of whole bodies"
            )
        if ann_file is not None:
            self._check_annotations(ann_file)

    @property
    def dataset_meta(self) -> dict | None:
        """Facts about the data set; setting them finds its annotation file if none was given."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict) -> None:
        given = self.coco
        CocoMetric.dataset_meta.__set__(self, dataset_meta)
        if self.coco is not given:
            # where MMPose's data sets leave the file's name
            key = f"{dataset_meta['dataset_name']}_ann_file"
            self._check_annotations(MessageHub.get_current_instance().get_info(key))

    def _check_annotations(self, ann_file: str) -> None:
        if self.coco is not None and not self.format_only:
            check_labelled(self.coco.dataset, ann_file)

    def results2json(self, keypoints: dict[int, list], outfile_prefix: str) -> None:
        """Write `{outfile_prefix}.keypoints.json`.

        Args:
            keypoints: per image id its detections, whose `keypoints` are (K, 3): x, y, score.
            outfile_prefix: path without the extension.
        """
        scored = {
            image_id: [person for person in people if (person["keypoints"][:, 2] > 0).any()]
            for image_id, people in keypoints.items()
        }
        super().results2json(scored, outfile_prefix)

    def _do_python_keypoint_eval(self, outfile_prefix: str) -> list[tuple[str, float]]:
        assert self.coco is not None  # compute_metrics has set it
        assert self.dataset_meta is not None  # and the data set this
        truths = COCO()
        truths.dataset = self.coco.dataset  # not the file: a gt_converter has changed it
        truths.createIndex()
        evaluation = COCOeval(
            truths,
            truths.loadRes(f"{outfile_prefix}.keypoints.json"),
            self.iou_type,
            sigmas=self.dataset_meta["sigmas"],
            use_area=self.use_area,
        )
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return list(zip(IOU_TYPES[self.iou_type], evaluation.stats, strict=True))
