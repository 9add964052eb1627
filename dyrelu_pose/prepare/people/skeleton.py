"""Kinematics of the figures: bone lengths, joint limits, families of poses, forward kinematics.

Lengths are fractions of an adult's stature. A body stands in a right-handed frame: x to its own
left, y up, z to where it looks. The camera looks along -z, so that a body with yaw 0 faces it.
"""

from dataclasses import dataclass

import numpy as np

LEFT, RIGHT = 0, 1
SIDES = ((LEFT, "left", 1.0), (RIGHT, "right", -1.0))

# Degrees. Arm: shoulder forward, sideways, turned inward; elbow. Leg: hip forward, sideways, turned
# outward; knee.
ARM_LIMITS = np.array([(-50, 175), (-5, 170), (-95, 95), (0, 145)], dtype=float)
LEG_LIMITS = np.array([(-30, 115), (-8, 50), (-15, 50), (0, 135)], dtype=float)

# Difficulty: who faces the camera is easiest to tell left from right.
FACING_ODDS, BACK_ODDS = 0.72, 0.11

Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PoseFamily:
    """Ranges of joint angles in degrees that together read as one kind of posture.

    Args:
        weight: How often the family is drawn, relative to the others.
        arms: Ranges of (forward, sideways, inward turn, elbow) for one arm and for the other.
        legs: Ranges of (forward, sideways, outward turn, knee) for one leg and for the other.
        lean: Range of the whole body's forward lean.
        bend: Range of the spine's forward bend above the pelvis.
        seated: Whether the figure needs something to sit on.
    """

    weight: float
    arms: tuple[Ranges, Ranges]
    legs: tuple[Ranges, Ranges]
    lean: tuple[float, float] = (-3, 5)
    bend: tuple[float, float] = (-4, 8)
    seated: bool = False


_HANGING = ((-12, 18), (4, 18), (-20, 40), (5, 35))
_ON_HIP = ((-25, -5), (38, 52), (75, 95), (85, 105))
_RAISED = ((-10, 20), (125, 168), (-60, 60), (0, 50))
_WAVING = ((-10, 20), (80, 115), (-95, -70), (50, 100))
_REACHING = ((50, 105), (-5, 35), (-30, 30), (5, 50))
_AT_CHEST = ((15, 45), (0, 20), (20, 60), (85, 135))
_SPREAD = ((-15, 15), (65, 100), (-60, 60), (0, 40))
_ON_LAP = ((15, 40), (3, 15), (0, 35), (35, 75))

_STRAIGHT = ((-5, 8), (0, 8), (0, 20), (0, 8))
_RELAXED = ((5, 22), (2, 14), (5, 30), (10, 35))
_APART = ((-4, 8), (12, 28), (5, 25), (0, 12))
_SITTING = ((70, 95), (2, 22), (0, 15), (65, 105))

POSE_FAMILIES = {
    "standing": PoseFamily(5, (_HANGING, _HANGING), (_STRAIGHT, _STRAIGHT)),
    "relaxed": PoseFamily(3, (_HANGING, _AT_CHEST), (_STRAIGHT, _RELAXED)),
    "hands on hips": PoseFamily(1.5, (_ON_HIP, _ON_HIP), (_STRAIGHT, _APART)),
    "hand on hip": PoseFamily(1.5, (_ON_HIP, _HANGING), (_STRAIGHT, _RELAXED)),
    "waving": PoseFamily(2, (_WAVING, _HANGING), (_STRAIGHT, _RELAXED)),
    "cheering": PoseFamily(2, (_RAISED, _RAISED), (_STRAIGHT, _APART)),
    "pointing": PoseFamily(2, (_REACHING, _HANGING), (_STRAIGHT, _RELAXED)),
    "reaching": PoseFamily(1.5, (_REACHING, _REACHING), (_STRAIGHT, _RELAXED), bend=(0, 25)),
    "star": PoseFamily(1.5, (_SPREAD, _SPREAD), (_APART, _APART)),
    "walking": PoseFamily(
        4,
        (((-35, -10), (3, 12), (0, 30), (5, 35)), ((12, 40), (3, 12), (0, 30), (10, 50))),
        (((15, 35), (0, 6), (0, 10), (0, 20)), ((-25, -8), (0, 6), (0, 10), (8, 40))),
        lean=(0, 8),
    ),
    "running": PoseFamily(
        1.5,
        (((-50, -25), (5, 18), (10, 40), (75, 110)), ((25, 60), (0, 12), (10, 45), (75, 115))),
        (((40, 75), (0, 6), (0, 8), (55, 100)), ((-28, -8), (0, 6), (0, 8), (25, 90))),
        lean=(5, 18),
    ),
    "lunging": PoseFamily(
        0.7,
        (_SPREAD, _AT_CHEST),
        (((50, 75), (2, 12), (0, 10), (60, 90)), ((-25, -10), (0, 8), (0, 15), (15, 45))),
    ),
    "kicking": PoseFamily(
        0.7, (_SPREAD, _HANGING), (((40, 80), (0, 15), (0, 20), (0, 40)), _STRAIGHT), lean=(-12, 0)
    ),
    "squatting": PoseFamily(
        0.7,
        (_REACHING, _AT_CHEST),
        (((75, 105), (8, 25), (5, 25), (80, 120)), ((75, 105), (8, 25), (5, 25), (80, 120))),
        lean=(5, 15),
        bend=(5, 25),
    ),
    "stooping": PoseFamily(
        0.5, (_REACHING, _ON_LAP), (_RELAXED, _RELAXED), lean=(15, 35), bend=(15, 35)
    ),
    "sitting": PoseFamily(2.5, (_ON_LAP, _ON_LAP), (_SITTING, _SITTING), bend=(0, 15), seated=True),
    "sitting, talking": PoseFamily(
        1.5, (_AT_CHEST, _ON_LAP), (_SITTING, _SITTING), bend=(0, 18), seated=True
    ),
}


@dataclass(frozen=True)
class Body:
    """Bone lengths and girths as fractions of an adult's stature.

    `girth` multiplies all widths across the bones, `height` all lengths, so that a child is not a
    small adult: its head keeps most of its size.
    """

    height: float
    girth: float
    head: float
    shoulders: float
    hips: float
    spine: float
    upper_arm: float
    forearm: float
    thigh: float
    shin: float


@dataclass(frozen=True)
class Pose:
    """Joint angles of one figure in degrees; rows of `arms` and `legs` are left and right."""

    yaw: float
    lean: float
    bend: float
    tilt: float
    twist: float
    head: np.ndarray  # yaw, pitch, roll against the chest
    arms: np.ndarray  # (2, 4) as ARM_LIMITS
    legs: np.ndarray  # (2, 4) as LEG_LIMITS
    seated: bool


@dataclass(frozen=True)
class Skeleton:
    """A posed body in the camera's frame, its lowest point on the ground plane at y = 0.

    `points` maps a joint's name to (3,) in fractions of an adult's stature; `frames` maps "pelvis",
    "chest" and "head" to rotations (3, 3) whose columns are the part's left, up and front.
    """

    points: dict[str, np.ndarray]
    frames: dict[str, np.ndarray]
    body: Body
    seated: bool


def sample_body(rng: np.random.Generator) -> Body:
    """Draw a body: mostly adults of varied build, some children."""
    child = rng.random() < 0.12
    height = rng.uniform(0.58, 0.78) if child else rng.uniform(0.92, 1.05)

    def vary(length: float, spread: float = 0.05) -> float:
        return length * height * rng.uniform(1 - spread, 1 + spread)

    return Body(
        height=height,
        girth=height * rng.uniform(0.88, 1.25) * (1.1 if child else 1.0),
        # Larger than life, as in a comic, so that a face still has features at 100 pixels.
        head=rng.uniform(1.0, 1.08) if child else rng.uniform(1.12, 1.25),
        shoulders=vary(0.108, 0.1),
        hips=vary(0.062, 0.12),
        spine=vary(0.3),
        upper_arm=vary(0.172),
        forearm=vary(0.148),
        thigh=vary(0.24),
        shin=vary(0.235),
    )


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose: a family, angles within its ranges, either side leading, and a viewing angle."""
    families = list(POSE_FAMILIES.values())
    weights = np.array([family.weight for family in families])
    family = families[rng.choice(len(families), p=weights / weights.sum())]
    flip = int(rng.random() < 0.5)
    arms = np.array([_angles(rng, family.arms[i ^ flip], ARM_LIMITS) for i in (LEFT, RIGHT)])
    # The side whose leg steps forward swings its arm back: arms and legs are mirrored together.
    legs = np.array([_angles(rng, family.legs[i ^ flip], LEG_LIMITS) for i in (LEFT, RIGHT)])
    return Pose(
        yaw=_sample_yaw(rng),
        lean=rng.uniform(*family.lean),
        bend=rng.uniform(*family.bend),
        tilt=rng.normal(0, 4),
        twist=rng.normal(0, 8),
        head=rng.normal(0, 1, 3).clip(-2, 2) * (20, 8, 5),
        arms=arms,
        legs=legs,
        seated=family.seated,
    )


def pose_skeleton(body: Body, pose: Pose, camera_pitch: float = 0.0) -> Skeleton:
    """Place the joints of a body by forward kinematics.

    Args:
        body: Bone lengths.
        pose: Joint angles.
        camera_pitch: How far the camera looks down, degrees.

    Returns:
        The joints: the 17 COCO keypoints, and beside them pelvis, neck, head, and for each side
        heel, toe and hand.
    """
    pelvis_frame = turn_y(pose.yaw) @ turn_x(pose.lean)
    chest_frame = pelvis_frame @ turn_y(pose.twist) @ turn_z(pose.tilt) @ turn_x(pose.bend)
    head_frame = chest_frame @ turn_x(-0.7 * (pose.lean + pose.bend))
    head_frame = head_frame @ turn_y(pose.head[0]) @ turn_x(pose.head[1]) @ turn_z(pose.head[2])

    points = {"pelvis": np.zeros(3)}
    waist = pelvis_frame @ (0, 0.3 * body.spine, 0)
    points["neck"] = waist + chest_frame @ (0, 0.7 * body.spine, 0)
    throat = points["neck"] + chest_frame @ (0, 0.028 * body.height, 0.008 * body.head)
    points["head"] = throat + head_frame @ (0, 0.07 * body.head, 0.008 * body.head)
    for name, place in FACE.items():
        points[name] = points["head"] + head_frame @ (np.array(place) * body.head)

    for i, name, sign in SIDES:
        forward, sideways, inward, elbow = pose.arms[i]
        shoulder = waist + chest_frame @ (sign * body.shoulders, 0.61 * body.spine, 0)
        arm = chest_frame @ turn_x(-forward) @ turn_z(sign * sideways) @ turn_y(-sign * inward)
        fore = arm @ turn_x(-elbow)
        points[f"{name}_shoulder"] = shoulder
        points[f"{name}_elbow"] = shoulder + arm @ (0, -body.upper_arm, 0)
        points[f"{name}_wrist"] = points[f"{name}_elbow"] + fore @ (0, -body.forearm, 0)
        points[f"{name}_hand"] = points[f"{name}_wrist"] + fore @ (0, -0.075 * body.height, 0.006)
        points[f"{name}_thumb"] = points[f"{name}_wrist"] + fore @ (
            np.array((-0.022 * sign, -0.048, 0.02)) * body.height
        )

        forward, sideways, outward, knee = pose.legs[i]
        hip = pelvis_frame @ (sign * body.hips, 0, 0)
        # Legs are measured from the upright: whoever leans forward keeps the feet below.
        thigh = turn_y(pose.yaw) @ turn_x(-forward)
        thigh = thigh @ turn_z(sign * sideways) @ turn_y(sign * outward)
        shin = thigh @ turn_x(knee)
        # Feet stay near level while the shin is near upright and follow it when it swings.
        foot = shin @ turn_x(np.clip(forward - knee, -25, 20))
        points[f"{name}_hip"] = hip
        points[f"{name}_knee"] = hip + thigh @ (0, -body.thigh, 0)
        points[f"{name}_ankle"] = points[f"{name}_knee"] + shin @ (0, -body.shin, 0)
        sole = points[f"{name}_ankle"] + foot @ (0, -0.03 * body.height, 0)
        points[f"{name}_heel"] = sole + foot @ (0, 0, -0.022 * body.height)
        points[f"{name}_toe"] = sole + foot @ (0, -0.004, 0.095 * body.height)

    ground = min(point[1] for point in points.values()) - 0.02 * body.height
    view = turn_x(camera_pitch)
    points = {name: view @ (point - (0, ground, 0)) for name, point in points.items()}
    frames = {"pelvis": pelvis_frame, "chest": chest_frame, "head": head_frame}
    frames = {name: view @ frame for name, frame in frames.items()}
    return Skeleton(points, frames, body, pose.seated)


# Places on the head, in its own frame and in units of an adult's stature (times Body.head).
FACE = {
    "nose": (0.0, -0.016, 0.072),
    "left_eye": (0.023, 0.006, 0.058),
    "right_eye": (-0.023, 0.006, 0.058),
    "left_ear": (0.056, -0.006, -0.004),
    "right_ear": (-0.056, -0.006, -0.004),
}


def turn_x(degrees: float) -> np.ndarray:
    """Return the rotation about x; a positive angle turns y towards z: a bow, or a bent knee."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([(1, 0, 0), (0, c, -s), (0, s, c)])


def turn_y(degrees: float) -> np.ndarray:
    """Return the rotation about y; a positive angle turns z towards x: to the person's left."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([(c, 0, s), (0, 1, 0), (-s, 0, c)])


def turn_z(degrees: float) -> np.ndarray:
    """Return the rotation about z; a positive angle turns x towards y."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])


def _angles(rng: np.random.Generator, ranges: Ranges, limits: np.ndarray) -> np.ndarray:
    low, high = np.array(ranges, dtype=float).T
    return rng.uniform(low, high).clip(limits[:, 0], limits[:, 1])


def _sample_yaw(rng: np.random.Generator) -> float:
    """Most people face the camera, some turn their back, the others look anywhere."""
    choice = rng.random()
    if choice < FACING_ODDS:
        return rng.normal(0, 18)
    if choice < FACING_ODDS + BACK_ODDS:
        return 180 + rng.normal(0, 18)
    return rng.uniform(-180, 180)
