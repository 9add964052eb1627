"""Configs from their files, with the options of a command line."""

from pathlib import Path

from mmengine.config import Config

from dyrelu_pose.errors import UserError

from . import safe


def load_config(path: str, options: dict | None = None) -> Config:
    """Return the config at `path` with the `--cfg-options` merged in.

    Raises:
        UserError: The file does not exist; or it is JSON or YAML and damaged, or could run code.
    """
    if not Path(path).is_file():
        raise UserError(f"config {path} does not exist")
    cfg = safe.load(path) if safe.is_data(path) else Config.fromfile(path)
    if options:
        cfg.merge_from_dict(options)
    return cfg


def innermost_dataset(dataset: dict) -> dict:
    """Return the config of the data set itself, out of those around it, such as RepeatDataset."""
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    return dataset
