"""Check all of a config that a run is made of, before anything is built to stay or written."""

from collections.abc import Sequence

from mmengine.config import Config

from .agreement import check_agreement
from .contents import check_contents
from .devices import check_devices
from .files import check_files
from .known_keys import check_keys
from .late_parts import check_late_parts
from .weights import check_weights


def check_run(cfg: Config, splits: Sequence[str], contents: bool = True) -> None:
    """Check keys, late parts, files, data and their agreement; of a training, devices and weights.

    Args:
        cfg: The config, as the command line has changed it.
        splits: What is used of it: 'train', 'val', 'test'.
        contents: Whether to check what is in the data sets, which nobody has done yet.

    Raises:
        UserError: Something cannot be used; the message names its key, or its file.
    """
    check_keys(cfg, splits)
    check_late_parts(cfg, splits)
    if "train" in splits:
        check_devices(cfg)
    check_files(cfg, splits)
    if contents:
        check_contents(cfg, splits)
    check_agreement(cfg, splits)
    if "train" in splits:
        check_weights(cfg)
