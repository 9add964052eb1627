"""Configs of this project by name, `dyrelu_pose::demo/dyrelu_resnet18.py`, wherever they are."""

import difflib
from pathlib import Path

from mmengine.config import Config

from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import CONFIGS

from .safe import check_base

SCOPE = "dyrelu_pose::"

_mmengines_own = Config._get_cfg_path


def config_path(name: str) -> Path:
    """Return the path of a config.

    Args:
        name: Its name: `dyrelu_pose::`, then the path below `configs/`.

    Raises:
        UserError: There is no such config; the message names the near misses.
    """
    below = name.removeprefix(SCOPE)
    path = CONFIGS / below
    if not path.is_file():
        whole = (path.relative_to(CONFIGS) for path in sorted(CONFIGS.rglob("*.py")))
        names = [str(path) for path in whole if path.parts[0] != "_base_"]  # of parts of configs
        close = [SCOPE + name for name in difflib.get_close_matches(below, names, n=3)]
        hint = f"did you mean {' or '.join(close)}?" if close else f"they are those in {CONFIGS}"
        raise UserError(f"there is no config {name}; {hint}")
    return path


def _get_cfg_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
    check_base(cfg_path, filename)
    if cfg_path.startswith(SCOPE):
        # Without a scope: no registry has this package's name, ours register in MMPose's.
        return str(config_path(cfg_path)), None
    return _mmengines_own(cfg_path, filename)


def apply() -> None:
    """Let `_base_` name a config of this project: MMEngine has a fixed list of packages."""
    Config._get_cfg_path = staticmethod(_get_cfg_path)
