"""Places for the figures to be in: a room, a street, a park, a wall of nothing in particular."""

import cv2
import numpy as np

from .appearance import cloth_color
from .layer import cv_color


def draw_background(rng: np.random.Generator, size: tuple[int, int], horizon: float) -> np.ndarray:
    """Draw a place.

    Args:
        rng: Source of everything random.
        size: (width, height), pixels.
        horizon: Row at which the ground would meet the sky.

    Returns:
        (height, width, 3) colors, 0..255, float32.
    """
    place = (_room, _room, _street, _park, _wall)[rng.integers(5)]
    return np.clip(place(rng, size, horizon), 0, 255).astype(np.float32)


def noise(rng: np.random.Generator, size: tuple[int, int], cell: float) -> np.ndarray:
    """Return smooth noise (height, width) about 0 with a spread near 1; cells in pixels."""
    columns, rows = (max(int(np.ceil(s / cell)), 1) + 2 for s in size)
    coarse = rng.standard_normal((rows, columns), dtype=np.float32)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def _gradient(size, top, bottom) -> np.ndarray:
    t = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    column = (1 - t) * np.asarray(top, np.float32) + t * np.asarray(bottom, np.float32)
    return np.broadcast_to(column, (size[1], size[0], 3)).copy()


def _textured(rng, size, color, amount) -> np.ndarray:
    texture = 0.6 * noise(rng, size, 2) + 0.8 * noise(rng, size, rng.uniform(5, 30))
    return np.asarray(color, np.float32) + (amount * texture)[..., None]


def _pastel(rng) -> np.ndarray:
    return 0.55 * cloth_color(rng) + 0.45 * rng.uniform(140, 235)


def _floor(rng, size, horizon, color) -> np.ndarray:
    """Return a floor over the whole picture, its boards or tiles running to the horizon."""
    width, height = size
    floor = _textured(rng, size, color, rng.uniform(2, 7))
    if rng.random() < 0.6:
        center, step = width * rng.uniform(0.2, 0.8), width * rng.uniform(0.12, 0.3)
        line = cv_color(np.asarray(color) * rng.uniform(0.7, 0.9))
        for i in range(-16, 17):
            start = (int(center), int(horizon))
            cv2.line(floor, start, (int(center + i * step * 2), height * 2), line, 1, cv2.LINE_AA)
        if rng.random() < 0.5:
            for i in range(1, 12):
                row = int(horizon + (height - horizon) * 1.2 / i)
                cv2.line(floor, (0, row), (width, row), line, 1, cv2.LINE_AA)
    return floor


def _room(rng, size, horizon) -> np.ndarray:
    width, height = size
    wall = _pastel(rng)
    picture = _textured(rng, size, wall, rng.uniform(1, 5))
    if rng.random() < 0.4:
        period, phase = rng.uniform(8, 30), rng.uniform(0, 1)
        stripes = ((np.arange(width) / period + phase) % 1 < 0.5).astype(np.float32)
        picture += (stripes * rng.uniform(-18, 18))[None, :, None]
    # The skirting lies below the eye level; how far depends on how long the room is.
    edge = int(horizon + (height - horizon) * rng.uniform(0.3, 0.6))
    for _ in range(rng.integers(0, 4)):
        _wall_item(rng, picture, edge)
    picture[edge:] = _floor(rng, size, horizon, cloth_color(rng) * 0.5 + 60)[edge:]
    skirting = cv_color(wall * rng.uniform(0.6, 1.2))
    cv2.rectangle(picture, (0, edge - 5), (width, edge), skirting, -1)
    return picture


def _wall_item(rng, picture, edge) -> None:
    """Hang a window, a door or a picture."""
    height, width = picture.shape[:2]
    w, x = int(width * rng.uniform(0.12, 0.35)), int(width * rng.uniform(-0.1, 0.95))
    frame, inner = cv_color(cloth_color(rng)), cv_color(_pastel(rng))
    kind = rng.integers(3)
    if kind == 0:  # a window
        top, bottom = int(edge * rng.uniform(0.05, 0.3)), int(edge * rng.uniform(0.55, 0.8))
        cv2.rectangle(picture, (x, top), (x + w, bottom), (205, 226, 242), -1)
        cv2.rectangle(picture, (x, top), (x + w, bottom), frame, 4)
        cv2.line(picture, (x + w // 2, top), (x + w // 2, bottom), frame, 2)
        cv2.line(picture, (x, (top + bottom) // 2), (x + w, (top + bottom) // 2), frame, 2)
    elif kind == 1:  # a door
        top = int(edge * rng.uniform(0.1, 0.35))
        cv2.rectangle(picture, (x, top), (x + w, edge), frame, -1)
        cv2.rectangle(picture, (x + 4, top + 5), (x + w - 4, edge - 8), inner, 2)
        cv2.circle(picture, (x + w - 9, (top + edge) // 2 + 10), 2, (40, 40, 40), -1)
    else:  # a picture
        top = int(edge * rng.uniform(0.1, 0.5))
        bottom = top + int(w * rng.uniform(0.6, 1.3))
        cv2.rectangle(picture, (x, top), (x + w, bottom), inner, -1)
        for _ in range(4):
            spot = (int(x + w * rng.uniform(0.2, 0.8)), int(rng.uniform(top + 5, bottom)))
            radius = int(w * rng.uniform(0.08, 0.2))
            if spot[1] + radius < bottom:
                cv2.circle(picture, spot, radius, cv_color(cloth_color(rng)), -1, cv2.LINE_AA)
        cv2.rectangle(picture, (x, top), (x + w, bottom), frame, 3)


def _sky(rng, size) -> np.ndarray:
    top = np.array((96, 150, 214)) * rng.uniform(0.75, 1.1)
    sky = _gradient(size, top, (214, 228, 238))
    clouds = np.clip(noise(rng, size, 60) + 0.5 * noise(rng, size, 18), 0, 1.2)[..., None]
    return sky + (245 - sky) * np.clip(clouds * rng.uniform(0.2, 0.8), 0, 1)


def _street(rng, size, horizon) -> np.ndarray:
    width, height = size
    picture = _sky(rng, size)
    x, ground = -int(rng.uniform(0, 40)), int(horizon + (height - horizon) * rng.uniform(0.2, 0.4))
    while x < width:
        house = int(width * rng.uniform(0.25, 0.6))
        top = int(horizon * rng.uniform(-0.4, 0.5))
        facade = _pastel(rng) * 0.85
        glass = cv_color(np.array((70, 84, 100)) * rng.uniform(0.7, 1.5))
        cv2.rectangle(picture, (x, top), (x + house, ground), cv_color(facade), -1)
        step = int(rng.uniform(20, 38))
        for column in range(x + 6, x + house - step // 2, step):
            for row in range(top + 8, ground - step, int(step * 1.3)):
                corner = (column + step // 2, row + int(step * 0.7))
                cv2.rectangle(picture, (column, row), corner, glass, -1)
                cv2.line(picture, (column, corner[1]), corner, cv_color(facade * 1.2), 2)
        x += house
    grey = rng.uniform(90, 170) + rng.uniform(-12, 12, 3)
    picture[ground:] = _floor(rng, size, horizon, grey)[ground:]
    kerb = ground + int((height - ground) * rng.uniform(0.1, 0.3))
    cv2.line(picture, (0, kerb), (width, kerb), cv_color(grey * 1.25), 3)
    return picture


def _park(rng, size, horizon) -> np.ndarray:
    width, height = size
    picture = _sky(rng, size)
    green = np.array((86, 132, 62)) * rng.uniform(0.7, 1.25) + rng.uniform(-12, 12, 3)
    ridge = horizon - 14 + 9 * noise(rng, (width, 1), 40)[0]
    rows = np.arange(height)[:, None]
    hills = rows > ridge[None, :]
    picture[hills] = 0.6 * green + 0.4 * np.array((150, 176, 190))
    for _ in range(rng.integers(1, 6)):
        x, tall = int(rng.uniform(0, width)), rng.uniform(0.5, 1.6)
        foot = int(horizon + 6 + 22 * tall)
        trunk = cv_color(np.array((88, 66, 48)) * rng.uniform(0.7, 1.2))
        cv2.line(picture, (x, foot), (x, foot - int(70 * tall)), trunk, int(3 + 6 * tall))
        for _ in range(14):
            spot = (int(x + rng.normal(0, 20 * tall)), int(foot - rng.uniform(55, 115) * tall))
            leaf = cv_color(green * rng.uniform(0.55, 1.05))
            cv2.circle(picture, spot, int(rng.uniform(8, 20) * tall), leaf, -1, cv2.LINE_AA)
    ground = int(horizon) + 6
    grass = _textured(rng, size, green * 1.1, 11)
    if rng.random() < 0.5:  # a path to the horizon
        x = width * rng.uniform(0.2, 0.8)
        path = [(x, ground), (x + width * rng.uniform(0.3, 0.9), height), (x - width * 0.5, height)]
        cv2.fillPoly(grass, [np.array(path, np.int32)], (186, 170, 142), cv2.LINE_AA)
    picture[ground:] = grass[ground:]
    return picture


def _wall(rng, size, horizon) -> np.ndarray:
    """Return colored cloudy noise with random flat shapes: nothing to learn the ground from."""
    width, height = size
    picture = _gradient(size, _pastel(rng), _pastel(rng))
    for cell, amount in ((80, 22), (25, 12), (4, 6)):
        tint = rng.normal(0, 1, 3) * 0.5 + 1
        picture += noise(rng, size, cell)[..., None] * np.float32(amount) * tint
    for _ in range(rng.integers(2, 9)):
        center = rng.uniform(0, 1, 2) * size
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 7)))
        reach = rng.uniform(0.05, 0.3) * width
        corners = center + reach * np.stack((np.cos(angles), np.sin(angles)), axis=1)
        cv2.fillPoly(picture, [corners.astype(np.int32)], cv_color(cloth_color(rng)), cv2.LINE_AA)
    return picture
