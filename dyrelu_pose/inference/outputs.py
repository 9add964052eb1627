"""What is made of predictions: entries of a COCO results file, and drawn pictures."""

from typing import Any

import cv2
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
        Dicts with `keypoints`, 3K numbers (column, row, score per keypoint), `bbox` as left, top,
        width, height, `score`, the box's times the mean of the keypoints', and, in videos whose
        people are tracked, `track_id`, the person's number.
    """
    people: Any = sample.pred_instances  # its fields are set at run time
    entries: list[dict] = []
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
    for entry, number in zip(entries, people.get("track_ids", ()), strict=False):
        entry["track_id"] = int(number)
    return entries


class Drawer:
    """Draws skeletons with MMPose's visualiser, lines as wide as the picture needs.

    Beside boxes are the people's numbers, where they have any.

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
        drawn = self.visualizer.get_image()[..., ::-1]
        if not self.boxes or "track_ids" not in sample.pred_instances:
            return drawn
        drawn = np.ascontiguousarray(drawn)
        people: Any = sample.pred_instances
        for number, box in zip(people.track_ids, people.bboxes, strict=True):
            left, top = max(int(box[0]) + width, 0), max(int(box[1]), 0) + 12 * width
            place, scale = (left, top), 0.4 * width
            for color, extra in (((0, 0, 0), 2), ((255, 255, 255), 0)):
                font = cv2.FONT_HERSHEY_SIMPLEX
                cv2.putText(drawn, str(number), place, font, scale, color, width + extra)
        return drawn
