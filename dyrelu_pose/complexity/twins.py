"""The ReLU twin of a config: the same model without its DyReLU rules."""

import copy

from mmengine.config import Config, ConfigDict

from dyrelu_pose.errors import UserError


def relu_twin(model: ConfigDict) -> ConfigDict | None:
    """Return a model's config as it is without its rules, or None if it has none.

    Args:
        model: The `model` entry of a config.
    """
    if not model.get("dyrelu"):
        return None
    twin = copy.deepcopy(model)
    twin.dyrelu = []
    return twin


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
