"""Memory that autograd keeps for the backward pass."""

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks


def kept_per_image(
    model: nn.Module, input_size: tuple[int, int], forward: Callable[[nn.Module, Tensor], object]
) -> int:
    """Return the bytes that one image of a batch adds to what a training pass keeps.

    It is the difference between batches of three and of two images. One image alone would not do:
    batch normalisation refuses a single value per channel; and weights and batch statistics, which
    are kept once, are not the image's.

    Args:
        model: The model, which is put into training mode.
        input_size: Width and height of the input (W, H).
        forward: How to run it.
    """
    width, height = input_size
    model.train()
    two, three = (
        kept_bytes(partial(forward, model, torch.zeros(images, 3, height, width)))
        for images in (2, 3)
    )
    return three - two


def kept_bytes(call: Callable[[], object], without: Iterable[Tensor] = ()) -> int:
    """Return the bytes of the distinct storages that autograd saves during `call`.

    Args:
        call: A forward pass. Its input counts if it is saved, also where another layer would save
            it anyway.
        without: What does not count, such as a model's parameters.
    """
    besides = {tensor.untyped_storage()._cdata for tensor in without}
    kept: dict[int, torch.UntypedStorage] = {}  # held, so that a key stays that of one storage

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in besides:
            kept[storage._cdata] = storage  # by its object: on meta storages have no address
        return tensor

    with torch.enable_grad(), saved_tensors_hooks(pack, lambda tensor: tensor):
        result = call()
    del result
    return sum(storage.nbytes() for storage in kept.values())
