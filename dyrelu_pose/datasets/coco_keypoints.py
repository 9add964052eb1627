"""The 17 COCO keypoints: names, limbs and sides, in the order of the COCO annotation format.

"Left" and "right" are the person's own: a left shoulder appears on the right of the picture when
the person faces the camera. Format: https://cocodataset.org/#format-data
"""

KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)

INDEX = {name: i for i, name in enumerate(KEYPOINTS)}

# Pairs of names, so that a reader can check them; indices are derived.
LIMBS = (
    ("left_ankle", "left_knee"),
    ("left_knee", "left_hip"),
    ("right_ankle", "right_knee"),
    ("right_knee", "right_hip"),
    ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_eye", "right_eye"),
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_ear", "left_shoulder"),
    ("right_ear", "right_shoulder"),
)

LIMB_INDICES = tuple((INDEX[a], INDEX[b]) for a, b in LIMBS)


def side(name: str) -> str:
    """Return which side of the body a keypoint is on: "left", "right" or "middle"."""
    prefix = name.split("_")[0]
    return prefix if prefix in ("left", "right") else "middle"
