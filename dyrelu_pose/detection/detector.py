"""A person detector: picture in, boxes out."""

from pathlib import Path

import cv2
import numpy as np

from dyrelu_pose.errors import UserError

from .nanodet import NanoDet
from .network import open_network
from .yolox import YOLOX

CONVENTIONS = (YOLOX, NanoDet)


class PersonDetector:
    """Finds the people of pictures by an ONNX file of YOLOX, NanoDet or NanoDet-Plus for COCO.

    Args:
        path: The file. ONNX Runtime runs it, or OpenCV where that is not installed.
        score: Lowest score of a box.
        nms: Largest IoU of two boxes that are both kept.
        max_people: Largest number of boxes of a picture, those with the best scores; None: all.

    Raises:
        UserError: The file is missing or damaged, or follows no known convention; or an
            option is out of range.
    """

    def __init__(
        self,
        path: str | Path,
        score: float = 0.3,
        nms: float = 0.5,
        max_people: int | None = None,
    ) -> None:
        if not (0 <= score <= 1 and 0 <= nms <= 1):
            raise UserError(f"score {score} and nms {nms} of a detector have to be from 0 to 1")
        if max_people is not None and max_people < 1:
            raise UserError(f"max_people of a detector is {max_people}, and has to be at least 1")
        self.path, self.score, self.nms, self.max_people = Path(path), score, nms, max_people
        self.network = open_network(self.path)
        self.convention = self._convention()

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Return the people in a picture, the highest score first.

        Args:
            picture: (H, W, 3) bytes, blue first.

        Returns:
            (P, 5) float32: left, top, right and bottom in pixels, inside of the picture, and the
            score from 0 to 1.
        """
        blob, fit = self.convention.prepare(picture)
        boxes, scores = self.convention.people(list(self.network(blob).values()))
        likely = scores >= self.score
        height, width = picture.shape[:2]
        boxes = fit.back(boxes[likely]).clip(0, (width, height) * 2)
        found = np.column_stack((boxes, scores[likely])).astype(np.float32)
        found = found[(found[:, 2:4] > found[:, :2]).all(axis=1)]
        return found[distinct(found, self.nms)[: self.max_people]]

    def _convention(self) -> YOLOX | NanoDet:
        """Find the convention that the file follows, by what it returns for any picture."""
        width, height = self.network.size
        outputs = self.network(np.zeros((1, 3, height, width), np.float32))
        for convention in CONVENTIONS:
            if found := convention.of((width, height), list(outputs.values())):
                return found
        shapes = ", ".join(f"{name} {values.shape}" for name, values in outputs.items())
        raise UserError(
            f"detector {self.path} follows no known convention: for (1, 3, {height}, {width}) it "
            f"returns {shapes}, but YOLOX returns (1, cells, 85), and NanoDet (1, cells, 112), or "
            "scores (1, cells, 80) and distances for each stride"
        )


def distinct(boxes: np.ndarray, iou: float) -> np.ndarray:
    """Return the indices of boxes that overlap no box of a higher score more than so, best first.

    Args:
        boxes: (P, 5) left, top, right, bottom and score.
        iou: Largest IoU of two that are both kept.
    """
    rectangles = np.column_stack((boxes[:, :2], boxes[:, 2:4] - boxes[:, :2]))
    kept = cv2.dnn.NMSBoxes(rectangles.tolist(), boxes[:, 4].tolist(), 0.0, iou)
    return np.array(kept, int).ravel()
