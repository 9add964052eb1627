"""What the people look like: skin, hair, clothes, and where each color goes on a part."""

import colorsys
from dataclasses import dataclass

import numpy as np

SKINS = (
    (255, 224, 196),
    (243, 204, 170),
    (232, 190, 150),
    (214, 166, 124),
    (190, 138, 98),
    (156, 106, 72),
    (120, 78, 52),
    (88, 58, 42),
)
HAIRS = (
    (28, 24, 24),
    (52, 36, 28),
    (88, 58, 36),
    (128, 84, 46),
    (178, 130, 74),
    (222, 186, 122),
    (150, 62, 34),
    (150, 148, 146),
    (226, 224, 220),
)
NEUTRALS = (
    (32, 34, 40),
    (62, 66, 74),
    (110, 112, 118),
    (178, 178, 176),
    (236, 234, 228),
    (44, 58, 92),
    (70, 96, 140),
    (120, 104, 78),
    (196, 176, 138),
    (84, 62, 48),
)

HAIR_STYLES = ("short", "short", "side", "long", "long", "tail", "bun", "bald", "cap")
TOPS = ("plain", "plain", "striped", "jacket", "badge", "checked", "yoke")


@dataclass(frozen=True)
class Look:
    """Colors and cuts of one figure; lengths are fractions of the limb that is covered."""

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    hat: np.ndarray
    beard: bool
    glasses: bool
    top: np.ndarray
    top_style: str
    trim: np.ndarray
    sleeve: float  # 0 bare, 1 to the elbow, 2 to the wrist
    bottom: np.ndarray
    leg: float  # 0 bare, 1 to the knee, 2 to the ankle
    skirt: bool
    belt: np.ndarray
    shoe: np.ndarray
    sole: np.ndarray
    looseness: float


def sample_look(rng: np.random.Generator) -> Look:
    """Draw the appearance of one figure."""
    skin = _pick(rng, SKINS) * rng.uniform(0.95, 1.04)
    style = HAIR_STYLES[rng.integers(len(HAIR_STYLES))]
    skirt = style in ("long", "tail", "bun") and rng.random() < 0.35
    return Look(
        skin=skin,
        hair=_pick(rng, HAIRS) * rng.uniform(0.85, 1.1),
        hair_style=style,
        hat=cloth_color(rng),
        beard=style in ("short", "side", "bald", "cap") and rng.random() < 0.25,
        glasses=rng.random() < 0.15,
        top=cloth_color(rng),
        top_style=TOPS[rng.integers(len(TOPS))],
        trim=cloth_color(rng),
        sleeve=float(rng.choice([0.12, 0.55, 0.8, 1.9, 1.9, 1.9])),
        bottom=_pick(rng, NEUTRALS) if rng.random() < 0.65 else cloth_color(rng),
        leg=0.3 if skirt else float(rng.choice([0.65, 0.95, 1.9, 1.9, 1.9, 1.9])),
        skirt=skirt,
        belt=_pick(rng, NEUTRALS),
        shoe=_pick(rng, NEUTRALS) if rng.random() < 0.6 else cloth_color(rng),
        sole=np.array((232.0, 230.0, 224.0)) * rng.choice([0.2, 0.9, 1.0]),
        looseness=rng.uniform(0.96, 1.18),
    )


def cloth_color(rng: np.random.Generator) -> np.ndarray:
    """Draw a color of cloth, 0..255."""
    if rng.random() < 0.35:
        return _pick(rng, NEUTRALS)
    hue, saturation, value = rng.random(), rng.uniform(0.3, 0.85), rng.uniform(0.35, 0.95)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, value), dtype=np.float32) * 255


def limb_paint(cover: float, cloth: np.ndarray, skin: np.ndarray):
    """Return a paint for `Canvas.tube`: cloth up to `cover` of the limb, skin beyond."""

    def paint(t, u, turn):
        # The hem curves around the limb, as seen slightly from above.
        covered = t + 0.03 * (1 - u * u) < cover
        cuff = covered & (t > cover - 0.06)
        color = np.where(covered[:, None], cloth, skin)
        return np.where(cuff[:, None], color * 0.86, color)

    return paint


def torso_paint(look: Look, front: float):
    """Return the paint of the torso tube, which runs from the hips (t = 0) to the neck (t = 1).

    Args:
        look: The figure's clothes.
        front: Angle about the spine at which the chest points, radians, 0 towards the camera.
    """

    def paint(t, u, turn):
        angle = np.abs((turn - front + np.pi) % (2 * np.pi) - np.pi)  # 0 at the breastbone
        color = np.broadcast_to(look.top, (len(t), 3)).copy()
        style = look.top_style
        if style == "striped":
            color[(t * 11).astype(int) % 2 == 0] = look.trim
        elif style == "checked":
            lines = ((t * 9) % 1 < 0.3).astype(float) + ((turn * 2.5) % 1 < 0.3)
            color = color + (look.trim - color) * (0.45 * lines)[:, None]
        elif style == "jacket":
            color[(angle < 0.42) & (t > 0.1)] = look.trim
            color[(angle > 0.42) & (angle < 0.52)] *= 0.75
        elif style == "badge":
            color[(angle / 0.55) ** 2 + ((t - 0.66) / 0.1) ** 2 < 1] = look.trim
        elif style == "yoke":
            color[t > 0.7] = look.trim
        # Open collar: skin in a V below the throat, only a narrow edge at the nape.
        color[(t > 0.97) | ((angle < 0.5) & (t > 0.84 + 0.22 * angle))] = look.skin
        color[t < 0.13] = look.bottom
        color[(t >= 0.1) & (t < 0.135)] = look.belt
        return color

    return paint


def head_paint(look: Look):
    """Return the paint of the face: eyes, brows, mouth, cheeks, beard on the skin."""
    dark, white, lips = np.array((30, 24, 24)), np.array((246, 246, 242)), np.array((178, 84, 80))
    lips = 0.55 * lips + 0.3 * look.skin

    def paint(place):
        x, y, z = place
        color = np.broadcast_to(look.skin, (len(x), 3)).copy()
        front = z > 0.2
        side = np.abs(x)
        if look.beard:
            color[(y < -0.3 - 0.25 * (side < 0.3) * (y > -0.5)) & (z > -0.15)] = look.hair
        eye_x = (side - 0.40) / 0.17
        eye_y = (y - 0.08) / 0.085
        color[front & (eye_x**2 + eye_y**2 < 1)] = white
        color[front & ((eye_x * 1.9) ** 2 + (eye_y * 0.95) ** 2 < 1)] = dark
        brow_y = np.abs(y - 0.27 - 0.05 * (side < 0.42))
        color[front & (brow_y < 0.035) & (np.abs(eye_x) < 1.2)] = look.hair * 0.8
        color[front & ((side / 0.26) ** 2 + ((y + 0.50) / 0.07) ** 2 < 1)] = lips
        if look.glasses:
            ring = np.hypot((side - 0.40) / 0.27, (y - 0.06) / 0.2)
            frame = (np.abs(ring - 1) < 0.2) | ((side < 0.15) & (np.abs(y - 0.08) < 0.04))
            temple = (z < 0.75) & (z > -0.1) & (side > 0.6) & (np.abs(y - 0.1) < 0.045)
            color[(front & frame) | temple] = dark
        return color

    return paint


def hair_keep(style: str):
    """Return where hair grows on the head's unit sphere: above a line that falls to the nape."""
    front_line = {"side": 0.34, "long": 0.42, "cap": 0.3}.get(style, 0.5)

    def keep(place):
        x, y, z = place
        nape = -0.75 if style in ("long", "tail") else -0.6
        line = np.interp(z, (-0.7, -0.25, 0.1, 0.35, 0.8), (nape, -0.35, 0.05, 0.3, front_line))
        if style == "side":
            line = line + 0.16 * x * (z > 0.3)
        return y > line

    return keep


def cap_keep(place: np.ndarray) -> np.ndarray:
    """Return where a cap sits on the head's unit sphere, (3, n) -> (n,)."""
    return place[1] > 0.34 - 0.12 * (place[2] < 0)


def _pick(rng: np.random.Generator, colors: tuple) -> np.ndarray:
    return np.array(colors[rng.integers(len(colors))], dtype=np.float32)
