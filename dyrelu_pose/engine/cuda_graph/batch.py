"""A batch in memory that stays where it is, as the kernels of a graph read it."""

from collections.abc import Iterator
from typing import Any

import torch
from mmengine.structures import BaseDataElement
from torch import Tensor

Path = tuple[object, ...]  # keys, fields and positions that lead to a tensor


class StaticBatch:
    """Buffers for batches of one shape, as MMEngine's loaders give them.

    Attributes:
        batch: A batch like the first one, whose tensors are the buffers. Nothing else of it is
            there: a number, string or array of a data sample would be that of the first batch for
            ever, so whoever reads one fails.

    Args:
        first: A batch: a dict of tensors, lists of them, and lists of data samples.
        device: Where to keep it.
    """

    def __init__(self, first: dict, device: torch.device) -> None:
        self._stacks = {
            key: torch.empty(len(tensors), *key[0], dtype=key[1], device=device)
            for key, tensors in _alike(first).items()
        }
        parts = {key: iter(stack.unbind()) for key, stack in self._stacks.items()}
        self.batch: dict = _rebuilt(first, parts)

    def fill(self, batch: object) -> None:
        """Copy a batch of the same `signature`: tensors of one kind at once."""
        for key, tensors in _alike(batch).items():
            self._stacks[key].copy_(torch.stack(tensors))


def signature(batch: object) -> tuple:
    """Return what batches have in common that fit the same buffers."""
    return tuple((path, t.shape, t.dtype, t.device) for path, t in _tensors(batch))


def _tensors(value: object, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(value, Tensor):
        yield path, value
    else:
        for key, part in _parts(value):
            yield from _tensors(part, (*path, key))


def _parts(value: object) -> Iterator[tuple[Any, object]]:
    if isinstance(value, BaseDataElement):
        for name in sorted(value._data_fields):  # a set, whose order says nothing
            yield name, getattr(value, name)
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def _alike(batch: object) -> dict[tuple, list[Tensor]]:
    """Return the tensors of a batch in order, by shape and dtype."""
    found: dict[tuple, list[Tensor]] = {}
    for _, tensor in _tensors(batch):
        found.setdefault((tensor.shape, tensor.dtype), []).append(tensor)
    return found


def _rebuilt(value: object, parts: dict[tuple, Iterator[Tensor]]) -> Any:
    """Return a value's structure with other tensors in it, and without what is not a tensor."""
    if isinstance(value, Tensor):
        return next(parts[value.shape, value.dtype])
    built = [(key, _rebuilt(part, parts)) for key, part in _parts(value)]
    if isinstance(value, BaseDataElement):
        element = type(value)()
        for name, part in built:
            if part is not None:
                setattr(element, name, part)
        return element
    if isinstance(value, dict):
        return {key: part for key, part in built if part is not None}
    if isinstance(value, list | tuple):
        return [part for _, part in built]
    return None
