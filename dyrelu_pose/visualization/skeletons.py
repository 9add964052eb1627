"""Draws skeletons on pictures, the person's left and right in different colors."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dyrelu_pose.datasets.coco_keypoints import KEYPOINTS, LIMB_INDICES, side

# RGB; orange and blue are told apart with any color vision.
SIDE_COLORS = {"left": (240, 140, 0), "right": (40, 120, 230), "middle": (235, 235, 235)}
_DARK = (20, 20, 20)
_PAPER = 250
_SHIFT = 3  # OpenCV's fixed point: eighths of a pixel
_SHORT_SIDE = 384  # pixels: smaller pictures are enlarged so that lines and points stay apart


@dataclass(frozen=True)
class Skeleton:
    """Keypoints and what joins them.

    Args:
        names: K names; `left_` or `right_` in front says which side of the body one is on.
        limbs: Pairs of their indices, from 0.
    """

    names: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]


COCO = Skeleton(KEYPOINTS, LIMB_INDICES)


def draw_skeleton(
    picture: np.ndarray, keypoints: np.ndarray, sure: np.ndarray, skeleton: Skeleton = COCO
) -> None:
    """Draw one person, in place.

    Args:
        picture: (H, W, 3) RGB bytes.
        keypoints: (K, 2) columns and rows, pixels; NaN for those not to be drawn.
        sure: (K,) booleans; the others are drawn as rings.
        skeleton: What the keypoints are.
    """
    sides = [side(name) for name in skeleton.names]
    size = max(min(picture.shape[:2]) / 110, 2.0)
    shown = np.all(np.isfinite(keypoints), axis=1)
    for a, b in skeleton.limbs:
        if not (shown[a] and shown[b]):
            continue
        color = SIDE_COLORS[sides[a] if sides[a] == sides[b] else "middle"]
        ends = _fixed(keypoints[a]), _fixed(keypoints[b])
        cv2.line(picture, *ends, _DARK, round(size) + 2, cv2.LINE_AA, _SHIFT)
        cv2.line(picture, *ends, color, round(size), cv2.LINE_AA, _SHIFT)
    for i in np.flatnonzero(shown):
        center, radius = _fixed(keypoints[i]), round(1.25 * size * 2**_SHIFT)
        fill = SIDE_COLORS[sides[i]] if sure[i] else _DARK
        rim = _DARK if sure[i] else SIDE_COLORS[sides[i]]
        cv2.circle(picture, center, radius, fill, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(picture, center, radius, rim, 1, cv2.LINE_AA, _SHIFT)


def side_by_side(
    picture: np.ndarray,
    truth: list[np.ndarray],
    predictions: dict[str, list[np.ndarray]],
    min_score: float,
    skeleton: Skeleton = COCO,
) -> np.ndarray:
    """Draw the labelled people of a picture on the left and predicted ones beside them.

    Args:
        picture: (H, W, 3) RGB bytes.
        truth: One (K, 3) per person: column, row, COCO's v (0 not labelled, 1 hidden, 2 visible).
        predictions: By caption, one (K, 3) per person: column, row, score.
        min_score: Predicted keypoints below this score are not drawn.
        skeleton: What the keypoints are.

    Returns:
        RGB bytes, the pictures side by side under their captions.
    """
    scale = max(_SHORT_SIDE / min(picture.shape[:2]), 1.0)
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    panels = []
    for people, shown, sure, caption in (
        (truth, 1, 2, f"Ground truth ({len(truth)})"),
        *(
            (people, min_score, min_score, f"{caption} ({len(people)})")
            for caption, people in predictions.items()
        ),
    ):
        panel = large.copy()
        for person in people:
            # Pixel centres have whole coordinates, before and after enlarging.
            places = (person[:, :2] + 0.5) * scale - 0.5
            places = np.where(person[:, 2:] >= shown, places, np.nan)
            draw_skeleton(panel, places, person[:, 2] >= sure, skeleton)
        panels.append(_captioned(panel, caption))
    gap = np.full((panels[0].shape[0], 6, 3), _PAPER, np.uint8)
    return np.hstack([part for panel in panels for part in (gap, panel)][1:])


def paper(width: int, height: int) -> np.ndarray:
    """Return a blank picture (H, W, 3), RGB bytes, darker than the rest of a sheet."""
    return np.full((height, width, 3), _PAPER - 30, np.uint8)


def contact_sheet(tiles: list[np.ndarray], columns: int, width: int = 560) -> np.ndarray:
    """Lay pictures out in a grid with a legend of the colors below.

    Args:
        tiles: RGB bytes, any sizes.
        columns: Pictures in a row.
        width: Width that each is scaled to, pixels.
    """
    small = [_scaled(tile, width) for tile in tiles]
    rows = []
    for start in range(0, len(small), columns):
        row = small[start : start + columns]
        height = max(tile.shape[0] for tile in row) + 12
        strip = np.full((height, columns * (width + 12), 3), _PAPER, np.uint8)
        for i, tile in enumerate(row):
            left = i * (width + 12) + 6
            strip[6 : 6 + tile.shape[0], left : left + width] = tile
        rows.append(strip)
    return np.vstack((*rows, _legend(columns * (width + 12))))


def _fixed(place: np.ndarray) -> tuple[int, int]:
    column, row = np.round(np.clip(place, -1e4, 1e4) * 2**_SHIFT)
    return int(column), int(row)


def _scaled(picture: np.ndarray, width: int) -> np.ndarray:
    height = max(round(picture.shape[0] * width / picture.shape[1]), 1)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    bar = Image.new("RGB", (picture.shape[1], 34), (_PAPER,) * 3)
    ImageDraw.Draw(bar).text((8, 5), caption, (30, 30, 30), ImageFont.load_default(20))
    return np.vstack((np.asarray(bar), picture))


def _legend(width: int) -> np.ndarray:
    bar = Image.new("RGB", (width, 40), (_PAPER,) * 3)
    draw, font = ImageDraw.Draw(bar), ImageFont.load_default(18)
    left = 14
    for color, text in (
        (SIDE_COLORS["left"], "the person's left"),
        (SIDE_COLORS["right"], "the person's right"),
        (None, "ring: labelled although hidden"),
    ):
        draw.ellipse((left, 13, left + 14, 27), fill=color or _DARK, outline=_DARK)
        if color is None:
            draw.ellipse((left, 13, left + 14, 27), outline=SIDE_COLORS["left"], width=2)
        draw.text((left + 22, 8), text, (30, 30, 30), font)
        left += 22 + int(draw.textlength(text, font)) + 30
    return np.asarray(bar)
