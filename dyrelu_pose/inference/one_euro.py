"""Keypoints of a person over time, steadied: still ones do not tremble, fast ones do not lag."""

import math

import numpy as np

CUTOFF = 1.0  # Hz, of a person who stands still
BETA = 4.0  # Hz more for each person's size per second
SPEED_CUTOFF = 1.0  # Hz, of the speed itself


class OneEuro:
    """The filter of Casiez et al., *1 Euro Filter* (CHI 2012), for the points of one person.

    Speeds are measured in sizes of the person, so that no option depends on the picture's.
    """

    def __init__(self) -> None:
        self.points: np.ndarray | None = None

    def __call__(self, points: np.ndarray, size: float, time: float) -> np.ndarray:
        """Return the points of a moment, steadied.

        Args:
            points: (K, 2) in pixels.
            size: Of the person, in pixels.
            time: In seconds, later than that of the call before.
        """
        if self.points is None:
            self.points, self.speed = points.astype(float), np.zeros_like(points, float)
        else:
            step = time - self.time
            speed = (points - self.points) / (step * max(size, 1.0))
            self.speed += _share(SPEED_CUTOFF, step) * (speed - self.speed)
            fast = np.linalg.norm(self.speed, axis=1, keepdims=True)  # (K, 1)
            self.points = self.points + _share(CUTOFF + BETA * fast, step) * (points - self.points)
        self.time = time
        return self.points


def _share(cutoff: float | np.ndarray, step: float) -> float | np.ndarray:
    """Return how much of a new value a low-pass filter takes after a step in seconds."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))
