"""Draws one posed body with skin, hair and clothes, and tells which keypoints it hides itself."""

from dataclasses import dataclass

import numpy as np

from dyrelu_pose.datasets.coco_keypoints import KEYPOINTS

from .appearance import Look, cap_keep, hair_keep, head_paint, limb_paint, torso_paint
from .canvas import Canvas
from .layer import SUPERSAMPLING, Layer, shrink
from .skeleton import FACE, SIDES, Skeleton

HEAD_RADII = np.array((0.055, 0.078, 0.066))

# A joint counts as seen while nothing of the body is farther in front of it than this: the radius
# of what it sits in, with some clothes. Fractions of an adult's stature, times the body's girth.
JOINT_DEPTHS = {"shoulder": 0.07, "elbow": 0.055, "wrist": 0.045, "hip": 0.105, "knee": 0.07}
JOINT_DEPTHS |= {"ankle": 0.05}
# Face points lie on the surface.
FACE_DEPTH = 0.02

UNKNOWN, HIDDEN, SEEN = 0, 1, 2


@dataclass(frozen=True)
class Figure:
    """A drawn person.

    Args:
        layer: The cut-out.
        keypoints: (17, 2) columns and rows in the picture, pixels; may lie outside of it.
        seen: (17,) SEEN, HIDDEN behind the own body or hair, or UNKNOWN: a face point on the far
            side of the head, which nobody could point at.
    """

    layer: Layer
    keypoints: np.ndarray
    seen: np.ndarray


def draw_figure(
    skeleton: Skeleton,
    look: Look,
    foot: tuple[float, float],
    scale: float,
    picture: tuple[int, int],
    light: np.ndarray,
) -> Figure | None:
    """Draw a figure into a picture-sized space.

    Args:
        skeleton: The posed body.
        look: Its appearance.
        foot: (column, row) of the ground below the pelvis, pixels.
        scale: Pixels per adult's stature.
        picture: (width, height) of the picture, pixels; what lies outside is cut off.
        light: Direction to the light (right, up, towards the camera).

    Returns:
        The figure, None if it lies outside of the picture altogether.
    """
    keypoints = np.array([_project(skeleton.points[name], foot, scale)[:2] for name in KEYPOINTS])
    corners = np.array([_project(p, foot, scale)[:2] for p in skeleton.points.values()])
    margin = 0.13 * scale
    left, top = np.maximum(np.floor(corners.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0) + margin), picture).astype(int)
    if left >= right or top >= bottom:
        return None

    fine = SUPERSAMPLING
    # Pixel centers have whole coordinates: picture pixel 0 covers drawing pixels 0 and 1.
    fine_foot = np.asarray(foot) * fine + (fine - 1) / 2
    points = {n: _project(p, fine_foot, scale * fine) for n, p in skeleton.points.items()}
    window = [int(v) * fine for v in (left, top, right - left, bottom - top)]
    canvas = Canvas(*window, light=light)
    pen = _Pen(canvas, points, skeleton, look, scale * fine)
    pen.legs()
    pen.torso()
    pen.arms()
    pen.head()

    layer = shrink(int(left), int(top), canvas.color, canvas.mask)
    seen = [_seen(canvas, skeleton, name, points[name], scale * fine) for name in KEYPOINTS]
    return Figure(layer, keypoints, np.array(seen))


def _project(point: np.ndarray, foot: tuple[float, float] | np.ndarray, scale: float) -> np.ndarray:
    """Return (column, row, depth) in pixels of a point of the skeleton."""
    return np.array((foot[0] + scale * point[0], foot[1] - scale * point[1], scale * point[2]))


def _seen(canvas: Canvas, skeleton: Skeleton, name: str, point: np.ndarray, scale: float) -> int:
    on_face = name in FACE
    depth = FACE_DEPTH if on_face else JOINT_DEPTHS[name.split("_")[1]] * skeleton.body.girth
    nearest = canvas.nearest(point[0], point[1])
    if np.isfinite(nearest) and nearest <= point[2] + depth * scale:
        return SEEN
    if on_face:
        outward = skeleton.frames["head"] @ FACE[name] / np.linalg.norm(FACE[name])
        return UNKNOWN if outward[2] < -0.2 else HIDDEN
    return HIDDEN


@dataclass(frozen=True)
class _Pen:
    """Draws the parts of one figure; lengths below are fractions of an adult's stature."""

    canvas: Canvas
    points: dict[str, np.ndarray]
    skeleton: Skeleton
    look: Look
    scale: float

    @property
    def girth(self) -> float:
        """Pixels per unit of width across a bone."""
        return self.scale * self.skeleton.body.girth

    def legs(self) -> None:
        """Draw thighs, shins and shoes, and the skirt over them."""
        look, girth = self.look, self.girth
        loose = look.looseness
        for _, side, _ in SIDES:
            hip, knee, ankle = (self.points[f"{side}_{j}"] for j in ("hip", "knee", "ankle"))
            wide = loose if look.leg > 0.5 else 1.0
            thigh = limb_paint(look.leg, look.bottom, look.skin)
            self.canvas.tube(hip, knee, _widths(girth * wide, 0.058, 0.055, 0.046, 0.037), thigh)
            wide = loose if look.leg > 1 else 0.92
            shin = limb_paint(look.leg - 1, look.bottom, look.skin)
            self.canvas.tube(
                knee, ankle, _widths(girth * wide, 0.037, 0.040, 0.033, 0.026, 0.024), shin
            )
            self._shoe(side, ankle)
        if look.skirt:
            self._skirt()

    def _shoe(self, side: str, ankle: np.ndarray) -> None:
        look, girth = self.look, self.girth
        heel, toe = self.points[f"{side}_heel"], self.points[f"{side}_toe"]
        sole = np.array((0, 0.008 * girth, -0.001 * girth))
        self.canvas.tube(heel + sole, toe + sole, _widths(girth, 0.028, 0.029, 0.027), look.sole)
        self.canvas.tube(heel, toe, _widths(girth, 0.029, 0.031, 0.025), look.shoe)
        self.canvas.tube(ankle, heel, _widths(girth, 0.026, 0.028), look.shoe)

    def _skirt(self) -> None:
        hips = [self.points["left_hip"], self.points["right_hip"]]
        knees = [self.points["left_knee"], self.points["right_knee"]]
        middle = (hips[0] + hips[1]) / 2
        hem = 0.2 * middle + 0.8 * (knees[0] + knees[1]) / 2
        # In front of whichever thigh is in front, or the thigh would come through the cloth.
        hem[2] = max(0.2 * hip[2] + 0.8 * knee[2] for hip, knee in zip(hips, knees, strict=True))
        spread = 0.8 * abs(knees[0][0] - knees[1][0]) / 2 + 0.062 * self.girth
        waist = self._torso_widths()[0][0]
        radii = (waist, (waist + spread) / 2 * 1.05, max(spread, waist))
        color = self.look.bottom * 0.94
        self.canvas.tube(middle, hem, radii, color, caps=(0.4, 0.12), flatness=1.1)

    def torso(self) -> None:
        """Draw pelvis, chest and neck."""
        look = self.look
        pelvis = (self.points["left_hip"] + self.points["right_hip"]) / 2
        neck = self.points["neck"]
        chest = self.skeleton.frames["chest"]
        front = np.arctan2(chest[0, 2], chest[2, 2])
        widths, flatness = self._torso_widths()
        self.canvas.tube(
            pelvis, neck, widths, torso_paint(look, front), caps=(0.55, 0.5), flatness=flatness
        )
        throat = self.points["head"] - self._head_vector((0, 0.045, 0.006))
        self.canvas.tube(neck, throat, _widths(self.girth, 0.034, 0.031), look.skin * 0.93)

    def _torso_widths(self) -> tuple[tuple[float, ...], float]:
        """Return the outline of the torso as it is seen from here, and its depth over its width."""
        body = self.skeleton.body
        chest, pelvis = self.skeleton.frames["chest"], self.skeleton.frames["pelvis"]
        shoulders = self.scale * body.shoulders
        hips = self.scale * (body.hips + 0.036 * body.girth)
        waist = 0.5 * (hips + shoulders) * 0.86
        # Half-widths to the side and to the front at equal steps from hips to neck.
        sideways = np.array(
            (hips, 0.99 * hips, waist, 0.98 * waist, 0.94 * shoulders, shoulders, 1.02 * shoulders,
             0.98 * shoulders, 0.42 * shoulders)
        )  # fmt: skip
        forward = self.girth * np.array((7, 6.8, 6.2, 6.1, 6.6, 6.8, 6.3, 5.4, 3.8)) / 100
        blend = np.linspace(0, 1, len(sideways))
        left = (1 - blend[:, None]) * pelvis[:, 0] + blend[:, None] * chest[:, 0]
        near = (1 - blend[:, None]) * pelvis[:, 2] + blend[:, None] * chest[:, 2]
        seen = np.hypot(sideways * left[:, 0], forward * near[:, 0])
        deep = np.hypot(sideways * left[:, 2], forward * near[:, 2])
        # A bowed torso shows its thickness as height, never less than it is deep.
        seen = np.maximum(seen, 0.8 * np.minimum(sideways, forward))
        return tuple(seen), float(deep.mean() / seen.mean())

    def arms(self) -> None:
        """Draw upper arms, forearms and hands."""
        look, girth = self.look, self.girth
        for _, side, _ in SIDES:
            shoulder, elbow = self.points[f"{side}_shoulder"], self.points[f"{side}_elbow"]
            wrist, hand = self.points[f"{side}_wrist"], self.points[f"{side}_hand"]
            sleeve = look.trim if look.top_style == "yoke" else look.top
            wide = look.looseness if look.sleeve > 0.3 else 0.97
            upper = limb_paint(look.sleeve, sleeve, look.skin)
            widths = _widths(girth * wide, 0.032, 0.037, 0.034, 0.031, 0.028)
            self.canvas.tube(shoulder, elbow, widths, upper)
            wide = look.looseness if look.sleeve > 1 else 0.95
            fore = limb_paint(look.sleeve - 1, sleeve, look.skin)
            self.canvas.tube(elbow, wrist, _widths(girth * wide, 0.028, 0.029, 0.025, 0.020), fore)
            self.canvas.tube(wrist, hand, _widths(girth, 0.018, 0.026, 0.026, 0.015), look.skin)
            thumb = self.points[f"{side}_thumb"]
            self.canvas.tube(wrist, thumb, _widths(girth, 0.012, 0.010), look.skin)

    def head(self) -> None:
        """Draw face, ears, nose and hair."""
        look, canvas = self.look, self.canvas
        size = self.scale * self.skeleton.body.head
        frame = self.skeleton.frames["head"]
        center = self.points["head"]
        canvas.ellipsoid(center, frame, size * HEAD_RADII, head_paint(look))
        for side in ("left", "right"):
            canvas.ellipsoid(
                self.points[f"{side}_ear"], frame, size * np.array((0.010, 0.019, 0.013)), look.skin
            )
        bridge = center + self._head_vector((0, 0.006, 0.060))
        nose = self.points["nose"] - self._head_vector((0, 0, 0.008))
        canvas.tube(bridge, nose, _widths(size, 0.006, 0.011), look.skin * 0.97)
        self._hair(size, frame, center)

    def _hair(self, size: float, frame: np.ndarray, center: np.ndarray) -> None:
        look, canvas = self.look, self.canvas
        if look.hair_style == "bald":
            return
        color = look.hair
        keep = hair_keep(look.hair_style)
        canvas.ellipsoid(center, frame, size * HEAD_RADII * 1.1, color, keep)
        if look.hair_style == "long":
            top, tip = self._head_vector((0, 0.02, -0.022)), self._head_vector((0, -0.12, -0.035))
            widths = _widths(size, 0.056, 0.066, 0.066, 0.05)
            canvas.tube(center + top, center + tip, widths, color)
        elif look.hair_style == "tail":
            top, tip = self._head_vector((0, 0.03, -0.075)), self._head_vector((0, -0.10, -0.10))
            widths = _widths(size, 0.02, 0.03, 0.026, 0.012)
            canvas.tube(center + top, center + tip, widths, color)
        elif look.hair_style == "bun":
            place = center + self._head_vector((0, 0.065, -0.05))
            canvas.ellipsoid(place, frame, size * np.array((0.034, 0.032, 0.034)), color)
        elif look.hair_style == "cap":
            canvas.ellipsoid(center, frame, size * HEAD_RADII * 1.16, look.hat, cap_keep)
            brim = center + self._head_vector((0, 0.032, 0.068))
            canvas.ellipsoid(brim, frame, size * np.array((0.046, 0.008, 0.046)), look.hat * 0.85)

    def _head_vector(self, place: tuple[float, float, float]) -> np.ndarray:
        """Return a vector of the head's frame in pixels of the picture (right, down, near)."""
        x, y, z = self.skeleton.frames["head"] @ (np.array(place) * self.skeleton.body.head)
        return np.array((x, -y, z)) * self.scale


def _widths(scale: float, *fractions: float) -> tuple[float, ...]:
    return tuple(scale * f for f in fractions)
