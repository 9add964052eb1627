"""Things that stand about, behind the people and in front of them, and what they sit on."""

import numpy as np

from .appearance import cloth_color
from .layer import Brush, Layer, draw_layer


def draw_prop(
    rng: np.random.Generator, picture: tuple[int, int], foot: tuple[float, float], scale: float
) -> Layer | None:
    """Draw one thing that stands on the ground.

    Args:
        rng: Source of everything random.
        picture: (width, height) of the picture, pixels.
        foot: (column, row) of the middle of its lower edge.
        scale: Pixels per adult's stature at its distance.

    Returns:
        The layer, None if it lies outside of the picture.
    """
    draw, width, height = PROPS[rng.integers(len(PROPS))]
    wide, high = np.array((width, height)) * rng.uniform(0.75, 1.3, 2) * scale
    x, y = foot
    corners = (x - wide, y - 1.25 * high, x + wide, y + 0.1 * high)
    return draw_layer(picture, corners, lambda brush: draw(rng, brush, foot, wide, high))


def draw_seat(
    rng: np.random.Generator,
    picture: tuple[int, int],
    seat: tuple[float, float],
    ground: float,
    scale: float,
) -> Layer | None:
    """Draw a stool, a crate or a bench under somebody who sits.

    Args:
        rng: Source of everything random.
        picture: (width, height) of the picture, pixels.
        seat: (column, row) of the middle of the upper edge.
        ground: Row of the ground.
        scale: Pixels per adult's stature.
    """
    half = scale * rng.choice([0.11, 0.14, 0.4])
    color, (x, top) = cloth_color(rng) * 0.6 + 50, seat
    open_below = rng.random() < 0.6

    def draw(brush: Brush) -> None:
        board = top + 0.045 * scale
        if open_below:
            for leg in (-0.85, 0.85):
                column = x + leg * half
                brush.line((column, top), (column, ground), 0.03 * scale, color * 0.6)
        else:
            brush.rectangle(x - half, top, x + half, ground, color * 0.75)
        brush.rectangle(x - half, top, x + half, board, color)

    return draw_layer(picture, (x - 1.1 * half, top, x + 1.1 * half, ground + 2), draw)


def _box(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color, half, depth = cloth_color(rng), width / 2, 0.22 * width
    front = (x - half, y - height, x + half, y)
    brush.rectangle(*front, color * 0.85)
    top = [(front[0], front[1]), (front[0] + depth, front[1] - 0.5 * depth)]
    top += [(front[2] + depth, front[1] - 0.5 * depth), (front[2], front[1])]
    brush.polygon(top, color * 1.1)
    side = [(front[2], front[1]), (front[2] + depth, front[1] - 0.5 * depth)]
    side += [(front[2] + depth, y - 0.5 * depth), (front[2], y)]
    brush.polygon(side, color * 0.6)
    for i in range(1, rng.integers(1, 5)):
        row = front[1] + i * height / 5
        brush.line((front[0], row), (front[2], row), 1, color * 0.65)


def _cupboard(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color, half = cloth_color(rng) * 0.6 + 40, width / 2
    brush.rectangle(x - half, y - height, x + half, y, color)
    for i in range(4):
        low, high = y - height * (0.04 + 0.24 * i), y - height * (0.22 + 0.24 * i)
        brush.rectangle(x - 0.9 * half, high, x + 0.9 * half, low, color * 0.55)
        left = x - 0.85 * half
        while left < x + 0.75 * half and rng.random() < 0.92:
            wide = width * rng.uniform(0.03, 0.09)
            tall = (low - high) * rng.uniform(0.5, 0.95)
            brush.rectangle(left, low - tall, left + wide, low, cloth_color(rng))
            left += wide


def _pole(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color = cloth_color(rng)
    for i, shade in enumerate((0.6, 0.85, 1.0, 0.8)):
        left = x - width / 2 + i * width / 4
        brush.rectangle(left, y - 1.2 * height, left + width / 4, y, color * shade)


def _table(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color, half = cloth_color(rng) * 0.6 + 50, width / 2
    for leg in (-0.9, 0.9):
        brush.line((x + leg * half, y - height), (x + leg * half, y), 0.06 * width, color * 0.65)
    brush.rectangle(x - half, y - height, x + half, y - 0.88 * height, color)
    for _ in range(rng.integers(0, 4)):
        place, wide = x + half * rng.uniform(-0.8, 0.8), width * rng.uniform(0.02, 0.06)
        top = y - height
        tall = height * rng.uniform(0.05, 0.2)
        brush.rectangle(place - wide, top - tall, place + wide, top, cloth_color(rng))


def _plant(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    green = np.array((66, 128, 58)) * rng.uniform(0.6, 1.2)
    pot = [(x - 0.22 * width, y - 0.25 * height), (x + 0.22 * width, y - 0.25 * height)]
    pot += [(x + 0.16 * width, y), (x - 0.16 * width, y)]
    for _ in range(16):
        tip = (x + width * rng.normal(0, 0.25), y - height * rng.uniform(0.5, 1.0))
        angle = np.degrees(np.arctan2(tip[1] - (y - 0.25 * height), tip[0] - x))
        brush.line((x, y - 0.25 * height), tip, 1.2, green * 0.7)
        brush.ellipse(tip, (0.16 * width, 0.06 * width), green * rng.uniform(0.7, 1.2), angle)
    brush.polygon(pot, np.array((170, 96, 62)) * rng.uniform(0.7, 1.2))


def _ball(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color = cloth_color(rng)
    for size, shade, shift in ((1, 0.7, 0), (0.82, 0.9, 0.1), (0.5, 1.1, 0.22)):
        brush.ellipse((x - shift * width / 2, y - width / 2 * (1 + shift)), (size * width / 2,) * 2,
                      color * shade)  # fmt: skip


def _chair(rng, brush: Brush, foot, width, height) -> None:
    x, y = foot
    color, half = cloth_color(rng), width / 2
    for leg in (-0.9, 0.9):
        brush.line((x + leg * half, y - height), (x + leg * half, y), 0.08 * width, color * 0.6)
    brush.rectangle(x - half, y - height, x + half, y - 0.62 * height, color * 0.85)
    brush.rectangle(x - 1.05 * half, y - 0.5 * height, x + 1.05 * half, y - 0.42 * height, color)


# (drawing, width, height) in fractions of an adult's stature.
PROPS = (
    (_box, 0.4, 0.35),
    (_cupboard, 0.5, 0.9),
    (_pole, 0.06, 1.4),
    (_table, 0.6, 0.42),
    (_plant, 0.4, 0.6),
    (_ball, 0.16, 0.16),
    (_chair, 0.26, 0.5),
)
