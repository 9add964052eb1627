"""Puts people and things into a place, and works out what a person who labels it would mark."""

from dataclasses import dataclass

import cv2
import numpy as np

from .appearance import sample_look
from .background import draw_background
from .figure import HIDDEN, SEEN, UNKNOWN, Figure, draw_figure
from .layer import Layer
from .props import draw_prop, draw_seat
from .skeleton import pose_skeleton, sample_body, sample_pose

# Difficulty. Sizes are fractions of the picture's shorter side per adult's stature.
PEOPLE_ODDS = (0.5, 0.33, 0.13, 0.04)  # of 1, 2, 3, 4 people
FIRST_SIZE = (0.6, 0.95)
OTHER_SIZE = (0.5, 0.85)
FRONT_PROP_ODDS = 0.25
BACK_PROPS = (0, 4)
BLUR = 0.7  # largest standard deviation, pixels
NOISE = 5.0  # largest standard deviation, of 255

# Who shows less than this of their own pixels, or of their height, is left out of the scene.
MIN_VISIBLE = 0.6
MIN_HEIGHT = 0.25  # of the picture's shorter side
MIN_KEYPOINTS = 6
# A hidden joint this far outside the visible box, in box sizes, is not labelled: nobody could tell.
GUESS_REACH = 0.1


@dataclass(frozen=True)
class Person:
    """What an annotator would write down about one person.

    Args:
        keypoints: (17, 3) column, row, v: 2 visible, 1 labelled but hidden, 0 not labelled (then
            column and row are 0).
        box: (left, top, width, height) of the visible pixels.
        area: Number of visible pixels.
        mask: (height, width) booleans of the picture, the visible pixels.
    """

    keypoints: np.ndarray
    box: tuple[int, int, int, int]
    area: int
    mask: np.ndarray


@dataclass(frozen=True)
class Scene:
    """A picture (height, width, 3) of RGB bytes and the people in it."""

    picture: np.ndarray
    people: list[Person]


@dataclass(frozen=True)
class _Actor:
    """A layer at a distance: a larger scale is nearer. Things have no figure."""

    layer: Layer
    scale: float
    foot: tuple[float, float]
    figure: Figure | None = None
    seat: Layer | None = None


@dataclass(frozen=True)
class _Camera:
    """How distance turns into size and place, and where the light comes from."""

    size: tuple[int, int]
    horizon: float
    eye: float  # the camera's height above the ground in adult statures
    pitch: float
    light: np.ndarray

    def ground(self, scale: float) -> float:
        """Return the row at which somebody of this size stands."""
        return self.horizon + self.eye * scale


def draw_scene(rng: np.random.Generator, size: tuple[int, int]) -> Scene:
    """Draw a scene with at least one labelled person.

    Args:
        rng: Source of everything random: the same state gives the same scene.
        size: (width, height) of the picture, pixels.
    """
    while True:
        camera = _sample_camera(rng, size)
        actors = _people(rng, camera) + _things(rng, camera)
        actors = _leave_out_the_hidden(sorted(actors, key=lambda a: a.scale), size)
        if any(actor.figure for actor in actors):
            break
    picture = draw_background(rng, size, camera.horizon)
    _cast_shadows(picture, actors)
    for actor in actors:
        if actor.seat:
            actor.seat.paste(picture)
        actor.layer.paste(picture)
    picture = _photograph(rng, picture)
    owners = _owners(actors, size)
    people = [
        _annotate(actor.figure, owners == i) for i, actor in enumerate(actors) if actor.figure
    ]
    return Scene(picture, people)


def _sample_camera(rng: np.random.Generator, size: tuple[int, int]) -> _Camera:
    side = rng.choice((-1, 1))
    light = np.array((side * rng.uniform(0.1, 0.9), rng.uniform(0.3, 1.0), rng.uniform(0.5, 1.0)))
    return _Camera(
        size=size,
        horizon=size[1] * rng.uniform(0.15, 0.36),
        eye=rng.uniform(0.66, 0.9),
        pitch=rng.uniform(0, 12),
        light=light,
    )


def _people(rng: np.random.Generator, camera: _Camera) -> list[_Actor]:
    count = 1 + rng.choice(len(PEOPLE_ODDS), p=PEOPLE_ODDS)
    width, short = camera.size[0], min(camera.size)
    columns: list[float] = []
    people = []
    for i in range(count):
        scale = short * rng.uniform(*(FIRST_SIZE if i == 0 else OTHER_SIZE))
        # The freest of a few places: people overlap now and then, they do not pile up.
        places = rng.uniform(0.1, 0.9, 5) * width
        column = max(places, key=lambda x: min((abs(x - c) for c in columns), default=0))
        columns.append(column)
        foot = (column, camera.ground(scale))
        skeleton = pose_skeleton(sample_body(rng), sample_pose(rng), camera.pitch)
        figure = draw_figure(skeleton, sample_look(rng), foot, scale, camera.size, camera.light)
        if figure is None:
            continue
        seat = None
        if skeleton.seated:
            pelvis = skeleton.points["pelvis"]
            top = (foot[0] + scale * pelvis[0], foot[1] - scale * (pelvis[1] - 0.05))
            seat = draw_seat(rng, camera.size, top, foot[1], scale)
        people.append(_Actor(figure.layer, scale, foot, figure, seat))
    return people


def _things(rng: np.random.Generator, camera: _Camera) -> list[_Actor]:
    short = min(camera.size)
    scales = list(short * rng.uniform(0.3, OTHER_SIZE[0], rng.integers(*BACK_PROPS)))
    if rng.random() < FRONT_PROP_ODDS:
        scales.append(short * rng.uniform(OTHER_SIZE[0], 1.0))
    things = []
    for scale in scales:
        foot = (rng.uniform(0, camera.size[0]), camera.ground(scale))
        layer = draw_prop(rng, camera.size, foot, scale)
        if layer is not None:
            things.append(_Actor(layer, scale, foot))
    return things


def _owners(actors: list[_Actor], size: tuple[int, int]) -> np.ndarray:
    """Return (height, width): the index of the actor that each pixel shows, -1 for none."""
    owners = np.full((size[1], size[0]), -1)
    for i, actor in enumerate(actors):
        if actor.seat:
            owners[actor.seat.window][actor.seat.mask] = -1
        owners[actor.layer.window][actor.layer.mask] = i
    return owners


def _leave_out_the_hidden(actors: list[_Actor], size: tuple[int, int]) -> list[_Actor]:
    """Take away the people of whom too little is seen, the worst first."""
    while True:
        owners = _owners(actors, size)
        shown = [
            _shown(actor.figure, owners == i) if actor.figure else 1.0
            for i, actor in enumerate(actors)
        ]
        worst = int(np.argmin(shown)) if shown else 0
        if not shown or shown[worst] >= MIN_VISIBLE:
            return actors
        actors = actors[:worst] + actors[worst + 1 :]


def _shown(figure: Figure, visible: np.ndarray) -> float:
    """Return the visible fraction of a figure's pixels, 0 where the rest is too little to label."""
    rows = np.flatnonzero(visible.any(axis=1))
    if len(rows) == 0 or rows[-1] - rows[0] + 1 < MIN_HEIGHT * min(visible.shape):
        return 0.0
    person = _annotate(figure, visible)
    if (person.keypoints[:, 2] == 2).sum() < MIN_KEYPOINTS:
        return 0.0
    return visible.sum() / figure.layer.mask.sum()


def _annotate(figure: Figure, visible: np.ndarray) -> Person:
    """Write down a figure as an annotator would, from the pixels that show it."""
    height, width = visible.shape
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    right, bottom = int(columns[-1]) + 1, int(rows[-1]) + 1
    reach = GUESS_REACH * np.array((right - left, bottom - top))
    keypoints = np.zeros((len(figure.keypoints), 3))
    for i, (place, seen) in enumerate(zip(np.round(figure.keypoints, 1), figure.seen, strict=True)):
        x, y = place
        if seen == UNKNOWN or not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            continue
        if seen == SEEN and visible[int(round(y)), int(round(x))]:
            keypoints[i] = x, y, 2
        elif (place >= (left, top) - reach).all() and (place < (right, bottom) + reach).all():
            keypoints[i] = x, y, HIDDEN
    box = (left, top, right - left, bottom - top)
    return Person(keypoints, box, int(visible.sum()), visible)


def _cast_shadows(picture: np.ndarray, actors: list[_Actor]) -> None:
    """Darken the ground under everything that stands on it, in place."""
    height, width = picture.shape[:2]
    shade = np.zeros((height, width), np.float32)
    for actor in actors:
        center = tuple(int(v) for v in actor.foot)
        half = 0.16 * actor.scale if actor.figure else 0.3 * actor.layer.alpha.shape[1]
        cv2.ellipse(shade, center, (int(half), int(0.3 * half)), 0, 0, 360, 0.4, -1)
    picture *= 1 - cv2.GaussianBlur(shade, (0, 0), 0.02 * width)[..., None]


def _photograph(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Return the picture as a plain camera would see it: light, color cast, blur and noise."""
    height, width = picture.shape[:2]
    gain = rng.uniform(0.92, 1.22) * rng.uniform(0.94, 1.06, 3)
    fall = rng.uniform(-0.15, 0.15, 2)
    across, down = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    field = 1 + fall[0] * across + fall[1] * down
    picture = picture * field[..., None].astype(np.float32) * gain.astype(np.float32)
    blur = rng.uniform(0, BLUR)
    if blur > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    grain = rng.standard_normal((height, width, 1), dtype=np.float32)
    picture = picture + grain * np.float32(rng.uniform(0, NOISE))
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
