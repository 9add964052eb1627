"""Finds annotations that are well formed, and hardly what they are taken for.

Boxes as corners, coordinates from 0 to 1, and points that belong to another picture or person make
targets like any other. One such entry may be a slip, or right; most of a file is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .persons import reason_to_skip

FRACTION = 1.01  # the largest coordinate from 0 to 1, with what rounding adds
CLEARLY = 0.1  # of a picture's width or height; what is outside by less may be a border's
AROUND = 0.25  # of a box's width or height, in which points still belong to it
PIXELS = 5.0  # at least, of both
MOST = 0.5  # of a file
OF_SHARES = "from 0 to 1, and not in pixels"

Kind = tuple[np.ndarray, float, Callable[[int], str]]


@dataclass(frozen=True)
class Doubt:
    """What looks wrong in some annotations.

    Args:
        problem: Names the first of them and says what is wrong in it.
        annotations: Their entries.
        judged: Number of annotations that were looked at: those of persons with keypoints.
        mostly: Whether it is most of the file, or leaves nobody.
    """

    problem: str
    annotations: list[dict]
    judged: int
    mostly: bool

    def __str__(self) -> str:
        return f"{self.problem} ({len(self.annotations)} of {self.judged} annotations like this)"


def find_doubts(content: dict) -> list[Doubt]:
    """Return what looks wrong in a file; an annotation is in one doubt at most.

    Args:
        content: The parsed file, with well-formed entries only.
    """
    images = {image["id"]: image for image in content["images"]}
    pairs = [(entry, images[entry["image_id"]]) for entry in content["annotations"]]
    reasons = [reason_to_skip(*pair) for pair in pairs]
    denied = [
        entry
        for (entry, _), reason in zip(pairs, reasons, strict=True)
        if reason == "without keypoints" and any(entry.get("keypoints", ())[2::3])
    ]
    pairs = [pair for pair, reason in zip(pairs, reasons, strict=True) if reason is None]
    found = []
    if denied:
        number = sum(v > 0 for v in denied[0]["keypoints"][2::3])
        problem = (
            f"annotation {denied[0]['id']} has {number} labelled keypoints, but num_keypoints 0, "
            "for which it is left out"
        )
        found.append(Doubt(problem, denied, len(denied) + len(pairs), mostly=not pairs))
    if not pairs:
        return found
    entries = [entry for entry, _ in pairs]
    boxes = np.array([entry["bbox"] for entry in entries], float)
    keypoints = np.array([entry["keypoints"] for entry in entries], float)
    sizes = np.array([(image["width"], image["height"]) for _, image in pairs], float)
    seen = np.zeros(len(entries), bool)
    for which, share, describe in _kinds(boxes, keypoints.reshape(len(entries), -1, 3), sizes):
        which = which & ~seen
        seen |= which
        if which.any():
            (rows,) = np.nonzero(which)
            problem = f"annotation {entries[rows[0]]['id']} {describe(rows[0])}"
            of_kind = [entries[row] for row in rows]
            found.append(Doubt(problem, of_kind, len(entries), bool(share > MOST)))
    return found


def misread_boxes(boxes: np.ndarray, sizes: np.ndarray) -> tuple[int, str] | None:
    """Return what looks wrong in most boxes of a detector, if anything does.

    Args:
        boxes: (N, 4) as of `_kinds`.
        sizes: (N, 2) as well.

    Returns:
        The index of the first such box, and what is wrong with it.
    """
    for which, share, describe in _box_kinds(boxes, sizes, np.ones(len(boxes), bool)):
        if share > MOST:
            first = int(np.argmax(which))
            return first, f"{describe(first)} ({which.sum()} of {len(boxes)} like this)"
    return None


def _kinds(boxes: np.ndarray, keypoints: np.ndarray, sizes: np.ndarray) -> Iterator[Kind]:
    """Yield each kind of doubt: (N,) who has it, its share of the file, and what it is in person n.

    Args:
        boxes: (N, 4) left, top, width, height, pixels.
        keypoints: (N, K, 3) x, y in pixels and visibility.
        sizes: (N, 2) width and height of the pictures, pixels.
    """
    points, labelled = keypoints[..., :2], keypoints[..., 2] > 0
    low, size = boxes[:, :2], boxes[:, 2:]
    number = labelled.sum(1)

    def box(n: int) -> str:
        return f"the bbox {boxes[n].tolist()}"

    def all_labelled(which: np.ndarray) -> np.ndarray:
        return np.all(which | ~labelled, axis=1)

    large = np.all(sizes > 2 * FRACTION, axis=1)
    small_box = _are_fractions(boxes, sizes)
    small_points = large & all_labelled(np.all(np.abs(points) <= FRACTION, axis=2))
    both = small_box & small_points
    yield both, small_box.mean(), lambda n: f"has {box(n)} and keypoints {OF_SHARES}"
    holds = all_labelled(_inside(points, low - PIXELS, size + PIXELS))
    yield from _box_kinds(boxes, sizes, holds)
    yield small_points, small_points.mean(), lambda n: f"has keypoints {OF_SHARES}"

    near = np.maximum(AROUND * size, PIXELS)
    inside = labelled & _inside(points, low - near, low + size + near)
    alone = ~np.any(inside, axis=1)
    yield (
        alone,
        alone.mean(),
        lambda n: f"has {box(n)}, which holds none of its {number[n]} labelled keypoints",
    )

    far = _far(sizes)
    outside = labelled & ~_inside(points, -far, sizes + far)
    yield (
        np.any(outside, axis=1),
        outside.sum() / number.sum(),
        lambda n: (
            f"has {outside[n].sum()} of its {number[n]} labelled keypoints outside of "
            f"{_picture(sizes[n])}"
        ),
    )


def _box_kinds(boxes: np.ndarray, sizes: np.ndarray, holds: np.ndarray) -> Iterator[Kind]:
    """Yield the kinds of doubt that boxes alone give.

    Args:
        boxes: As of `_kinds`.
        sizes: As well.
        holds: (N,) whether a box would hold its keypoints if it were corners.
    """
    low, size = boxes[:, :2], boxes[:, 2:]
    fractions = _are_fractions(boxes, sizes)
    yield (
        fractions,
        fractions.mean(),
        lambda n: f"has the bbox {boxes[n].tolist()}, {OF_SHARES}",
    )
    fits = holds & np.all((low >= 0) & (size > low) & (size <= 1.02 * sizes + 1), axis=1)
    corners = fits & np.any(low + size > sizes + _far(sizes), axis=1)
    # Boxes near the left and the upper border look alike in both forms.
    share = 1.0 if fits.mean() > 0.95 and corners.mean() > 0.1 else corners.mean()
    yield (
        corners,
        share,
        lambda n: (
            f"has the bbox {boxes[n].tolist()}, which reaches out of {_picture(sizes[n])} and fits "
            "as left, top, right, bottom: boxes are left, top, width, height"
        ),
    )


def _are_fractions(boxes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    return np.all(sizes > 2 * FRACTION, axis=1) & np.all(np.abs(boxes) <= FRACTION, axis=1)


def _far(sizes: np.ndarray) -> np.ndarray:
    return np.maximum(CLEARLY * sizes, PIXELS)


def _picture(size: np.ndarray) -> str:
    return "its picture of {:g} x {:g} pixels".format(*size)


def _inside(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Tell which points (N, K, 2) are between corners (N, 2): (N, K)."""
    return np.all((points >= low[:, None]) & (points <= high[:, None]), axis=2)
