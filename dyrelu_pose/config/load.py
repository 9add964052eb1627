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


def input_size_of(cfg: Config) -> tuple[int, int]:
    """Return the width and height of a model's input in pixels: of model, config or codec.

    Raises:
        UserError: The config gives neither.
    """
    codec = cfg.get("codec") or {}
    codecs = codec if isinstance(codec, list | tuple) else [codec]
    sizes = (entry.get("input_size") for entry in (cfg.model, cfg, *codecs))
    size = next((size for size in sizes if size), None)
    if size is None:
        raise UserError(
            f"{cfg.filename} says no input size: give it codec.input_size or input_size=(W, H)"
        )
    return tuple(size)
