"""The people of a video: found by a detector now and then, followed in between, numbered."""

from typing import Any

import numpy as np
from mmpose.structures import PoseDataSample

from dyrelu_pose.detection import distinct

from .inferencer import PoseInferencer
from .one_euro import OneEuro
from .tracking import Tracker

SURE = 0.3  # score of a keypoint that a box is put around
FEWEST = 4  # such keypoints, or the box stays where it is
# A box reaches this far beyond the keypoints, in their width and height: of 1,380 persons of
# COCO-mini with 14 or more keypoints labelled the median is 0.09 to 0.15, by side.
MARGIN = 0.12
SAME = 0.7  # IoU of two followed boxes beyond which they have come to be of one person


class PeopleOfVideo:
    """Finds the people of frames that are given one after the other.

    Args:
        pose: The model, with a detector.
        fps: Frames per second.
        every: The detector looks at each frame whose number is a multiple of it. In the others the
            boxes are where the keypoints were in the frame before.
        smooth: Whether keypoints are steadied by a one-euro filter.
    """

    def __init__(
        self, pose: PoseInferencer, fps: float, every: int = 1, smooth: bool = False
    ) -> None:
        self.pose, self.fps, self.every, self.smooth = pose, fps, every, smooth
        self.tracker = Tracker(pose.person_input.meta["sigmas"])
        self.filters: dict[int, OneEuro] = {}
        self.frame = 0
        self._next, self._numbers = np.zeros((0, 5)), np.zeros(0, int)

    def __call__(self, picture: np.ndarray) -> PoseDataSample:
        """Return the people of the next frame, (H, W, 3) bytes, blue first.

        `pred_instances.track_ids` (P,) has their numbers.
        """
        detects = self.frame % self.every == 0
        boxes, known = (None, None) if detects else self._inside(picture)
        (sample,) = self.pose([picture], [boxes])
        people: Any = sample.pred_instances  # its fields are set at run time
        time = self.frame / self.fps
        points = np.dstack((people.keypoints, people.keypoint_scores))  # (P, K, 3)
        areas = np.prod(people.bboxes[:, 2:] - people.bboxes[:, :2], axis=1)
        numbers = self.tracker(points, areas, time, known)
        scored = np.column_stack((people.bboxes, people.bbox_scores))
        next_boxes = [box_around(*pair) for pair in zip(points, scored, strict=True)]
        self._next = np.array(next_boxes).reshape(-1, 5)
        self._numbers = numbers
        if self.smooth:
            people.keypoints = self._steadied(people.keypoints, areas, numbers, time)
        people.track_ids = numbers
        self.frame += 1
        return sample

    def _inside(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the followed boxes and their numbers.

        Those that left the picture are not among them, and of two of one person only the surer.
        """
        height, width = picture.shape[:2]
        boxes = self._next
        inside = (boxes[:, :2] < (width, height)).all(axis=1) & (boxes[:, 2:4] > 0).all(axis=1)
        boxes, numbers = boxes[inside], self._numbers[inside]
        kept = np.sort(distinct(boxes, SAME))
        return boxes[kept], numbers[kept]

    def _steadied(
        self, keypoints: np.ndarray, areas: np.ndarray, numbers: np.ndarray, time: float
    ) -> np.ndarray:
        # A number that the tracker has forgotten never comes back.
        self.filters = {n: self.filters.get(n) or OneEuro() for n in self.tracker.seen}
        steadied = [
            self.filters[number](points, area**0.5, time)
            for number, points, area in zip(numbers.tolist(), keypoints, areas, strict=True)
        ]
        return np.array(steadied, np.float32).reshape(keypoints.shape)


def box_around(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the box of a person in the next frame, with its score.

    Args:
        points: (K, 3) column, row and score of each keypoint.
        box: Left, top, right, bottom and score in this frame: kept where few points are sure.
    """
    sure = points[points[:, 2] >= SURE, :2]
    if len(sure) < FEWEST or (np.ptp(sure, axis=0) <= 0).any():
        return box
    low, high = sure.min(axis=0), sure.max(axis=0)
    margin = MARGIN * (high - low)
    return np.concatenate((low - margin, high + margin, box[4:]))
