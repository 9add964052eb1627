"""The people of one picture: drawn, counted, and as entries of a results file."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

from dyrelu_pose.visualization.skeletons import Skeleton, draw_skeleton

# Sides of what is drawn, pixels: a photograph is not sent back in full, lines in a small picture
# stay apart.
LONGEST, SHORTEST = 1280, 384


@dataclass(frozen=True)
class People:
    """What was found in a picture.

    Attributes:
        picture: (H, W, 3) RGB bytes, as large as it is shown.
        keypoints: (P, K, 2) columns and rows in pixels of `picture`.
        scores: (P, K).
        skeleton: What the keypoints are.
        detected: Whether a detector looked for people; else the picture is taken for one.
        entries: COCO results, in pixels of the uploaded picture.
        crops: The model's input of each person.
    """

    picture: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    skeleton: Skeleton
    detected: bool
    entries: list[dict]
    crops: list[dict]

    def draw(self, score: float) -> np.ndarray:
        """Return the picture, RGB, with the keypoints that have at least this score."""
        drawn = self.picture.copy()
        for places, scores in zip(self.keypoints, self.scores, strict=True):
            shown = scores >= score
            places = np.where(shown[:, None], places, np.nan)
            draw_skeleton(drawn, places, shown, self.skeleton)
        return drawn

    def sentence(self, score: float) -> str:
        """Return what there is to say about the picture, at this score."""
        number = len(self.keypoints)
        if not number:
            return "Nobody was found in this picture."
        people = f"{number} {'person' if number == 1 else 'people'} found"
        if not self.detected:
            people = "The picture is taken for one person"
        shown = f"{(self.scores >= score).sum()} of {self.scores.size} keypoints"
        return f"{people}: {shown} have a score of at least {score:.2f}."


def shown_size(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a picture as large as it is shown, and its scale."""
    short, long = sorted(picture.shape[:2])
    scale = min(max(1.0, SHORTEST / short), LONGEST / long)
    if scale == 1:
        return picture, scale
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = [max(round(side * scale), 1) for side in picture.shape[1::-1]]
    return cv2.resize(picture, size, interpolation=how), scale


def places(sample: PoseDataSample, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return keypoints (P, K, 2) in pixels of a scaled picture, and their scores (P, K)."""
    found: Any = sample.pred_instances  # its fields are set at run time
    # Pixel centres have whole coordinates, in both sizes.
    return (np.asarray(found.keypoints) + 0.5) * scale - 0.5, np.asarray(found.keypoint_scores)
