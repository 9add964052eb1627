"""The size of a model's input, as its config says it in one place or another."""

from collections.abc import Iterator, Sequence

from mmengine.config import Config

from dyrelu_pose.errors import UserError
from dyrelu_pose.placement.probe import check_input_size


def input_size_of(cfg: Config) -> tuple[int, int]:
    """Return the width and height of a model's input in pixels.

    The model has them, or a decoder of its head, or the config, or its codec.

    Raises:
        UserError: None of them has, or what has is not a pair of positive numbers.
    """
    sizes = (
        cfg.model.get("input_size"),
        decoder_input_size(cfg.model.get("head")),
        cfg.get("input_size"),
        *(codec.get("input_size") for codec in _listed(cfg.get("codec") or {})),
    )
    size = next((size for size in sizes if size), None)
    if size is None:
        raise UserError(
            f"{cfg.filename} says no input size: give it codec.input_size or input_size=(W, H)"
        )
    return _pixels(size, "input_size")


def decoder_input_size(head: object) -> tuple[int, int] | None:
    """Return the width and height of the input in pixels as a head's decoder has them.

    Args:
        head: Config of the head. A decoder may be a list of them, and belong to a head below.

    Returns:
        Those of the first decoder that has any; None if none has.

    Raises:
        UserError: They are not a pair of positive numbers (of which there is a third in 3D).
    """
    size = next(_decoder_sizes(head), None)
    if size is None:
        return None
    return _pixels(size, "the head's decoder.input_size")


def _pixels(size: object, name: str) -> tuple[int, int]:
    if isinstance(size, list | tuple) and len(size) == 3:
        size = size[:2]  # without the depth
    return check_input_size(size, name)


def _decoder_sizes(head: object) -> Iterator[object]:
    if isinstance(head, list | tuple):
        for part in head:
            yield from _decoder_sizes(part)
    elif isinstance(head, dict):
        for decoder in _listed(head.get("decoder")):
            if isinstance(decoder, dict) and decoder.get("input_size") is not None:
                yield decoder["input_size"]
        for part in head.values():
            yield from _decoder_sizes(part)


def _listed(entry: object) -> Sequence:
    return entry if isinstance(entry, list | tuple) else [entry]
