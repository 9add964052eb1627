"""Configs from their files, with the options of a command line."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from dyrelu_pose.errors import UserError

from . import safe
from .options import follow, merge
from .variables import overridden


def load_config(path: str, options: dict | None = None) -> Config:
    """Return the config at `path` with the `--cfg-options` merged in.

    A variable of a Python config has the value of an option also where the file uses it.

    Raises:
        OptionError: An option does not fit the config, or changes nothing.
        UserError: The file does not exist; or it is JSON or YAML and damaged, or could run code.
    """
    if not Path(path).is_file():
        raise UserError(f"config {path} does not exist")
    options = options or {}
    cfg = follow(partial(read, path), options)
    merge(cfg, options)
    if any(key.partition(".")[0] == "custom_imports" for key in options):
        import_modules_from_strings(**cfg.custom_imports)
    return cfg


def read(path: str | Path, variables: dict) -> Config:
    """Return the config at `path`, where Python's variables have the values that are given.

    Raises:
        DataConfigError: It is JSON or YAML and damaged, or could run code.
    """
    with overridden(variables) if variables else nullcontext():
        return safe.load(path) if safe.is_data(path) else Config.fromfile(path)


def innermost_dataset(dataset: dict) -> dict:
    """Return the config of the data set itself, out of those around it, such as RepeatDataset."""
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    return dataset
