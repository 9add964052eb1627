"""One log line instead of hundreds of missing keys when a ReLU checkpoint is loaded."""

from collections.abc import Sequence
from functools import partial

from mmengine.logging import print_log
from torch import nn

from dyrelu_pose.errors import plural

PLACED = "placed_layers"  # attribute of a module: class name and keys of each, by site


def install_fresh_start_report(model: nn.Module, sites: Sequence[str]) -> None:
    """Let `model` accept checkpoints from before its activations were placed.

    If a checkpoint has no tensor of any placed layer, as one of the ReLU model has none, these
    keys are taken out of the missing keys and one line in the log counts them. That holds for
    MMEngine's loading and for `load_state_dict(strict=True)` too: a hook cannot see `strict`,
    and a ReLU checkpoint does determine the model, whose new layers keep their start. If only some
    of them are missing, or any other key is, nothing is hidden.

    It works for the model, alone or inside a wrapper (DDP, EMA), and for its parts (`backbone`,
    `neck`, `head`) when they load weights of their own, as `init_cfg` makes them do. Being
    hooks without closures, the reports survive deep copies and pickling. Layers of several
    placements count together, at each site the last one.

    Args:
        model: The model, after placement.
        sites: Dotted names of the placed layers.
    """
    layers = {site: model.get_submodule(site) for site in sites}
    _install(model, layers, wrapped=True)
    for part, child in model.named_children():
        prefix = f"{part}."
        own = {site.removeprefix(prefix): layers[site] for site in sites if site.startswith(prefix)}
        _install(child, own, wrapped=False)


def _install(module: nn.Module, layers: dict[str, nn.Module], wrapped: bool) -> None:
    if layers and not hasattr(module, PLACED):
        setattr(module, PLACED, {})
        module.register_load_state_dict_post_hook(partial(_report, wrapped))
    for site, layer in layers.items():
        keys = [f"{site}.{key}" for key in layer.state_dict()]
        getattr(module, PLACED)[site] = type(layer).__name__, keys


def _report(wrapped: bool, module: nn.Module, result) -> None:
    """Load hook; `wrapped` looks for the keys behind the prefix of a wrapper as well.

    A part must not: its keys have a prefix whenever the whole model loads, which reports itself.
    """
    layers = [(kind, keys) for kind, keys in getattr(module, PLACED).values() if keys]
    keys = [key for _, own in layers for key in own]
    if not keys:
        return
    missing = set(result.missing_keys)
    ends = [key for key in missing if key.endswith(keys[0])] if wrapped else keys[:1]
    for prefix in (key.removesuffix(keys[0]) for key in ends):
        fresh = {prefix + key for key in keys}
        if fresh <= missing:
            # In place: the loader keeps its own reference to this list.
            result.missing_keys[:] = [key for key in result.missing_keys if key not in fresh]
            kinds = ", ".join(sorted({kind for kind, _ in layers}))
            start = "is not in the checkpoint and keeps its start value"
            if len(keys) > 1:
                start = "are not in the checkpoint and keep their start values"
            print_log(
                f"{plural(len(keys), 'tensor')} of {plural(len(layers), 'site')} ({kinds}) {start}",
                logger="current",
            )
