"""The size of a model's input, as its config says it in one place or another."""

from collections.abc import Iterator, Sequence

from mmengine.config import Config

from dyrelu_pose.errors import UserError


def input_size_of(cfg: Config) -> tuple[int, int]:
    """Return the width and height of a model's input in pixels.

    The model has them, or a decoder of its head, or the config, or its codec.

    Raises:
        UserError: None of them has.
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
    return size[0], size[1]


def decoder_input_size(head: object) -> tuple[int, int] | None:
    """Return the width and height of the input in pixels as a head's decoder has them.

    Args:
        head: Config of the head. A decoder may be a list of them, and belong to a head below.

    Returns:
        Those of the first decoder that has any; None if none has.

    Raises:
        UserError: They are no pair of positive numbers (of which there is a third in 3D).
    """
    size = next(_decoder_sizes(head), None)
    if size is None:
        return None
    if (
        not isinstance(size, list | tuple)
        or len(size) not in (2, 3)
        or not all(isinstance(n, int) and n > 0 for n in size)
    ):
        raise UserError(f"the head's decoder.input_size is {size!r}: it has to be (W, H) in pixels")
    return tuple(size[:2])


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
