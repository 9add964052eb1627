"""Check the description of keypoints that a config gives, before MMPose reads it.

MMPose takes the keys of `keypoint_info` for the numbers of keypoints and reads them in the order in
which they are written: in another one, an image would be flipped to the wrong pairs.
"""

from collections.abc import Collection

from .errors import ConfigError, expect

NEEDED = ("dataset_name", "keypoint_info", "skeleton_info", "joint_weights", "sigmas")


def check_description(described: dict, key: str) -> None:
    """Check `metainfo` of a data set, where it describes the keypoints itself.

    Args:
        described: What is there.
        key: Where it is in the config.

    Raises:
        ConfigError: Something is missing, keypoints are not numbered from 0 on, two have one name,
            or a `swap`, a `link` or a `color` is not valid.
    """
    if missing := [name for name in NEEDED if name not in described]:
        raise ConfigError(f"{key} of the config has no {', '.join(missing)}")
    where = f"{key}.keypoint_info"
    keypoints = expect(described["keypoint_info"], dict, where)
    if [*keypoints] != [*range(len(keypoints))]:
        raise ConfigError(
            f"{where} of the config has the keys {', '.join(map(repr, keypoints))}: keypoints are "
            "numbered by them, from 0 on and in this order"
        )
    names: dict[str, str] = {}  # where each is
    for number, keypoint in keypoints.items():
        of_one = f"{where}.{number}"
        name = expect(expect(keypoint, dict, of_one).get("name"), str, f"{of_one}.name")
        if name in names:
            raise ConfigError(f"{names[name]} and {of_one} of the config are both named {name}")
        names[name] = of_one
        if (id := keypoint.get("id", number)) != number:
            raise ConfigError(f"{of_one}.id of the config is {id!r}, which is not its key")
        _check_color(keypoint, of_one)
    for keypoint, of_one in zip(keypoints.values(), names.values(), strict=True):
        if swap := keypoint.get("swap"):
            _check_name(swap, names, f"{of_one}.swap")
    for number, line in expect(described["skeleton_info"], dict, f"{key}.skeleton_info").items():
        of_one = f"{key}.skeleton_info.{number}"
        link = expect(expect(line, dict, of_one).get("link"), (list, tuple), f"{of_one}.link")
        if len(link) != 2:
            raise ConfigError(f"{of_one}.link of the config has {len(link)} names: a line has two")
        for name in link:
            _check_name(name, names, f"{of_one}.link")
        _check_color(line, of_one)


def _check_name(name: object, names: Collection[str], key: str) -> None:
    if name not in names:
        raise ConfigError(f"{key} of the config names {name!r}, and there is no such keypoint")


def _check_color(part: dict, key: str) -> None:
    color = part.get("color", (0, 0, 0))
    is_list = isinstance(color, list | tuple) and len(color) == 3
    if not (
        is_list and all(isinstance(value, int | float) and 0 <= value <= 255 for value in color)
    ):
        raise ConfigError(f"{key}.color of the config is {color!r}: it has to be red, green, blue")
