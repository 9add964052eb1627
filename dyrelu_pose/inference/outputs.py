"""What is left of predictions: entries of a COCO results file, and drawn pictures."""

from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer


def coco_results(
    sample: PoseDataSample, image_id: int, file_name: str, category: int
) -> list[dict]:
    """Return one entry per person in the results format of COCO keypoints.

    Args:
        sample: Prediction for one picture.
        image_id: Number of the picture.
        file_name: Its name, which COCO's format does not ask for and readers of the file do.
        category: Number of the people's category.

    Returns:
        Dicts with `keypoints`, 51 numbers (column, row, score per keypoint), `bbox` as left, top,
        width, height, and `score`, that of the box times the mean of the keypoints'.
    """
    people: Any = sample.pred_instances  # its fields are set at run time
    entries = []
    for places, scores, box, box_score in zip(
        people.keypoints, people.keypoint_scores, people.bboxes, people.bbox_scores, strict=True
    ):
        left, top, right, bottom = box.tolist()
        entries.append(
            dict(
                image_id=image_id,
                file_name=file_name,
                category_id=category,
                bbox=[round(v, 2) for v in (left, top, right - left, bottom - top)],
                keypoints=np.round(np.column_stack((places, scores)), 4).ravel().tolist(),
                score=round(float(box_score * scores.mean()), 4),
            )
        )
    return entries


class Drawer:
    """Draws skeletons with MMPose's visualiser, lines as wide as the picture needs.

    Args:
        dataset_meta: MMPose's facts about the keypoints, `model.dataset_meta`.
        threshold: Keypoints with a lower score are not drawn.
        boxes: Whether to draw the boxes as well.
    """

    def __init__(self, dataset_meta: dict, threshold: float, boxes: bool = False) -> None:
        self.threshold, self.boxes = threshold, boxes
        self.visualizer = PoseLocalVisualizer()
        self.visualizer.set_dataset_meta(dataset_meta)

    def __call__(self, picture: np.ndarray, sample: PoseDataSample) -> np.ndarray:
        """Return a drawn copy of a picture, (H, W, 3) bytes, blue first."""
        width = max(round(min(picture.shape[:2]) / 200), 1)
        self.visualizer.line_width, self.visualizer.radius = width, width + 1
        self.visualizer.add_datasample(
            "picture",
            picture[..., ::-1],
            sample,
            draw_gt=False,
            draw_bbox=self.boxes,
            kpt_thr=self.threshold,
        )
        return self.visualizer.get_image()[..., ::-1]
