"""Who is who from frame to frame: people get numbers by how near their keypoints stay."""

from dataclasses import dataclass

import numpy as np
from mmpose.evaluation.functional.nms import oks_iou
from scipy.optimize import linear_sum_assignment

LEAST = 0.3  # OKS of the same person, as in MMPose's demos
PATIENCE = 1.0  # seconds that somebody may not be found and keeps the number


@dataclass
class Seen:
    """Where a person was seen last.

    Attributes:
        points: 3K numbers, column, row and score of each keypoint.
        area: Of the box, in pixels.
        time: In seconds.
    """

    points: np.ndarray
    area: float
    time: float


class Tracker:
    """Numbers the people of a video, from 1.

    Args:
        sigmas: Spread of each keypoint's labels (K,), MMPose's `dataset_meta["sigmas"]`.

    Attributes:
        seen: Where those are, by number, that have not been missing for long.
    """

    def __init__(self, sigmas: np.ndarray) -> None:
        self.sigmas = np.asarray(sigmas)
        self.seen: dict[int, Seen] = {}
        self._count = 0

    def __call__(
        self,
        points: np.ndarray,
        areas: np.ndarray,
        time: float,
        numbers: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the numbers of a frame's people (P,).

        Args:
            points: (P, K, 3) column, row and score of each keypoint.
            areas: Of the boxes (P,), in pixels.
            time: Of the frame, in seconds.
            numbers: Those that are known already (P,); None: found by OKS.
        """
        self.seen = {n: seen for n, seen in self.seen.items() if time - seen.time <= PATIENCE}
        points = points.reshape(len(points), 3 * len(self.sigmas))
        if numbers is None:
            numbers = self._match(points, areas)
        for number, person, area in zip(numbers.tolist(), points, areas.tolist(), strict=True):
            self.seen[number] = Seen(person, area, time)
        return numbers

    def _match(self, points: np.ndarray, areas: np.ndarray) -> np.ndarray:
        numbers = np.zeros(len(points), int)
        if self.seen and len(points):
            before = np.array([seen.points for seen in self.seen.values()])
            sizes = np.array([seen.area for seen in self.seen.values()])
            near = np.array(
                [
                    oks_iou(person, before, area, sizes, self.sigmas)
                    for person, area in zip(points, areas, strict=True)
                ]
            )  # (P, seen)
            for person, old in zip(*linear_sum_assignment(near, maximize=True), strict=True):
                if near[person, old] >= LEAST:
                    numbers[person] = list(self.seen)[old]
        new = numbers == 0
        numbers[new] = self._count + 1 + np.arange(new.sum())
        self._count += int(new.sum())
        return numbers
