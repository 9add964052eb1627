"""State dicts of public DyReLU ports, renamed to ours as they are loaded.

A and B of the ports use our names already and add the buffers `lambdas` and `init_v`. C is a chain
of 1x1 convolutions: `coef.1` and `coef.3` are the hyper function, `sptial` (sic) the map, whose
bias a softmax cancels; its buffers are `lambdas` and `bias`.
"""

import torch

RENAMED = {
    "coef.1.weight": "fc1.weight",
    "coef.1.bias": "fc1.bias",
    "coef.3.weight": "fc2.weight",
    "coef.3.bias": "fc2.bias",
    "sptial.weight": "spatial.weight",
}
WITHOUT_EFFECT = ("sptial.bias",)


def convert_port_keys(layer, state_dict: dict, prefix: str) -> None:
    """Rename a port's tensors below `prefix` in `state_dict` to those of `layer`, in place.

    Args:
        layer: The `DyReLU` that is being loaded.
        state_dict: State dict of a whole model; a copy of it, as PyTorch's loaders pass it.
        prefix: Where the layer's own tensors are.

    Raises:
        ValueError: The port's lambdas or start values are not those the layer was built with, so
            that it would compute another function.
    """
    k, lambda_a, lambda_b, _ = layer.ranges
    ours = {
        "lambdas": [lambda_a] * k + [lambda_b] * k,
        "init_v": list(layer.ranges.centers),
    }
    ours["bias"] = ours["init_v"]
    for name, expected in ours.items():
        theirs = state_dict.pop(prefix + name, None)
        if theirs is None:
            continue
        if not torch.equal(theirs.flatten().cpu().float(), torch.tensor(expected)):
            raise ValueError(
                f"{prefix}{name} of the checkpoint is {theirs.flatten().tolist()}, but this "
                f"{type(layer).__name__} computes with {expected}: build it with the checkpoint's "
                "k, lambda_a and lambda_b, and not with init='identity'"
            )
    for name in WITHOUT_EFFECT:
        state_dict.pop(prefix + name, None)
    for theirs, name in RENAMED.items():
        if prefix + theirs in state_dict:
            value = state_dict.pop(prefix + theirs)
            state_dict[prefix + name] = value.flatten(1) if value.dim() > 1 else value
