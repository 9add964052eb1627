"""The full config of a cell and a seed, and the hash that tells one from another."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from dyrelu_pose.config.load import read
from dyrelu_pose.config.options import OptionError, follow, merge
from dyrelu_pose.config.parts import innermost_dataset
from dyrelu_pose.models.input_size import input_size_of

from .grid import Cell, GridError

# How the folders of the data sets are called in tables; any other keeps the name of its folder.
DATA = {"coco": "COCO", "coco_mini": "COCO-mini"}
DATA_VARIABLES = {"DYRELU_DATA": "data", "IMAGENET": "data/imagenet"}  # and their defaults


def resolve(cell: Cell, seed: int, options: dict | None = None) -> Config:
    """Return the config that a run of `cell` from `seed` trains with.

    Its test set is its validation set, so that `tools/test.py` measures what training does.

    Args:
        cell: The cell.
        seed: Seed of the run.
        options: Dotted entries that override those of the cell.

    Raises:
        GridError: An option names an entry that the config does not have, or changes nothing, or
            there is no validation set.
    """
    try:
        cfg = follow(partial(_read, cell.config), {**cell.options, **(options or {})})
    except OptionError as error:
        raise GridError(f"cell {cell.name}: {error}") from error
    if cell.dyrelu is not None:
        _place(cfg, cell.dyrelu)
    for overrides in (cell.options, options or {}):
        for key in overrides:
            _check_option(cell, cfg, key)
        merge(cfg, overrides)
    cfg.randomness = dict(cfg.get("randomness") or {}, seed=seed)
    for part in ("dataloader", "evaluator", "cfg"):
        if cfg.get(f"val_{part}") is None:
            raise GridError(f"cell {cell.name}: {cell.config} has no val_{part}, so no AP")
        cfg[f"test_{part}"] = cfg[f"val_{part}"]
    if "custom_imports" in cfg:  # by an option, after the file was read
        import_modules_from_strings(**cfg.custom_imports)
    return cfg


def digest(cfg: Config) -> str:
    """Return the hash of all that a config says, wherever its data are: 16 hexadecimal digits."""
    text = portable(json.dumps(cfg.to_dict(), sort_keys=True, default=str))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def portable(text: str) -> str:
    """Return the text of a config with the folders of its data as MMEngine's variables again.

    Only where a quoted value begins with the folder: it may be called like part of something else.
    """
    for name, default in DATA_VARIABLES.items():
        if folder := os.environ.get(name):
            variable = f"{{{{${name}:{default}}}}}"
            text = re.sub(
                rf"(?<=[\"']){re.escape(folder)}(?=[/\"'])", lambda _, v=variable: v, text
            )
    return text


def data_name(cfg: Config) -> str:
    """Return what to call the validation set: after the folder that it is in."""
    dataset = innermost_dataset(cfg.val_dataloader.dataset)
    folder = Path(dataset.get("data_root") or "").name
    return DATA.get(folder, folder)


def _place(cfg: Config, rules: Sequence[dict]) -> None:
    model = cfg.model
    if model.type != "DyReLUPoseEstimator":
        if not rules:
            return
        size = input_size_of(cfg)
        model.update(type="DyReLUPoseEstimator", estimator=model.type, input_size=size)
    model.dyrelu = rules


def _check_option(cell: Cell, cfg: Config, key: str) -> None:
    """Refuse a key that would make a new entry instead of changing one, at any level but the last.

    The last may be new, as an argument that the config leaves at its default.
    """
    *parents, last = key.split(".")
    entry = cfg
    for step in parents or [last]:
        if isinstance(entry, list | tuple) and step.isdigit() and int(step) < len(entry):
            entry = entry[int(step)]
        elif isinstance(entry, Config | dict) and step in entry:
            entry = entry[step]
        else:
            raise GridError(f"cell {cell.name}: option {key} names nothing in {cell.config}")


_parsed = cache(partial(read, variables={}))


def _read(path: Path, variables: dict) -> Config:
    """Return a config of one's own; without other variables it is read once for all cells."""
    original = read(path, variables) if variables else _parsed(path)
    return Config(original.to_dict(), filename=original.filename)
