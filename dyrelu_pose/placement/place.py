"""Put activation layers at the sites of a model, as rules say: a module in, the same one out."""

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from dyrelu_pose.layers import DyReLU

from .linear import open_site
from .probe import PlacementError, Site, survey
from .replace import replace
from .rules import Rule, assign, parse_rules
from .split import split_shared
from .warm_start import install_fresh_start_report


@dataclass(frozen=True)
class Placement:
    """A site and the layer that was put there, or None where the original was kept."""

    site: Site
    layer: nn.Module | None
    fused: bool = False

    @property
    def placed(self) -> str | None:
        """Class name of the layer, None if the site was kept.

        With `+ norm` if it computes one, and `+ sum` if also the residual addition behind that.
        """
        if self.layer is None:
            return None
        parts = [type(self.layer).__name__]
        if self.fused:
            parts += ["norm", "sum"] if self.site.summed else ["norm"]
        return " + ".join(parts)


def place(
    model: nn.Module,
    rules: Sequence[dict],
    input_size: tuple[int, int],
    forward: Callable[[nn.Module, Tensor], object] | None = None,
) -> list[Placement]:
    """Replace the activations of a model in place: split, probe, then place by rules.

    The first rule that matches a site wins; sites that no rule matches, or one with `act=None`,
    keep their activation. Linear sites, which have none, are taken only by rules with
    `linear=True`. A DyReLU that was built without channels gets them. Everything is checked and
    built before the model is touched, so after an error it is as it was before.

    New parameters exist when this returns, so call it before an optimizer, EMA copy or DDP wrapper
    is made. A stage that the backbone freezes is frozen with its new layers.

    Args:
        model: An MMPose estimator, or any module if `forward` says how to run it.
        rules: Dicts such as `dict(sites='backbone.*', act=dict(type='DyReLUB', reduction=8))`.
            `sites` is a glob pattern on site names, in which `*` crosses dots, or a list of
            them. `act` is the config of any layer in MMEngine's registry; the width of the site
            is added as `channels` if the layer takes it. With `linear=True` the rule takes
            linear sites and no others, and DyReLU has `init='identity'` there unless `act` has
            an `init`. With `fuse_norm=True`, a DyReLU also computes the BatchNorm2d in
            front of it, at sites that alone use its output, and the residual addition between
            them, at sites that alone use the sum: less memory, the same function, the same keys in
            the state dict.
        input_size: Width and height of the input in pixels (W, H), as in an MMPose codec.
        forward: How to run the model, as in :func:`probe`.

    Returns:
        One placement per site, in the order in which the sites run; of the linear sites, those
        where a layer was put.

    Raises:
        PlacementError: A rule is malformed, has no effect, names an unknown layer or one that
            cannot be built, or reaches a site that several calls share.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        >>> place(model, [dict(sites='*', act=dict(type='DyReLUB'))], (32, 32))[0].placed
        'DyReLUB'
    """
    parsed = parse_rules(rules)
    sites, invisible = survey(model, input_size, forward, linear=True)
    taken = assign(parsed, sites, invisible)
    for site in sites:
        if site.pending and site.obstacle:
            raise PlacementError(site.obstacle)
    factories = {rule.index: _factory(rule, rule.act) for rule in parsed if rule.act is not None}
    layers = {
        site.name: factories[rule.index](site)
        for site, rule in taken.items()
        if rule.act is not None
    }

    for site in sites:
        if site.overwrites and site.name in layers:
            _check_overwrites(taken[site], site, layers[site.name])

    split_shared(model)
    for site in sites:
        if site.linear and site.name in layers:
            open_site(model.get_submodule(site.name.rpartition(".")[0]))
        if site.pending and site.name not in layers:
            layer = cast(DyReLU, model.get_submodule(site.name))  # no other can be pending
            layer.materialize(site.channels)
            layers[site.name] = layer
    for site in sites:
        if not site.linear:
            _fit(site, model.get_submodule(site.name), layers.get(site.name))
    _put(model, layers)
    fused = _fuse(model, taken, layers)
    placed = set(layers.values())
    names = (name for name, m in model.named_modules(remove_duplicate=False) if m in placed)
    install_fresh_start_report(model, list(names))
    if model.training:
        evaluated = [module for module in model.modules() if not module.training]
        model.train()  # lets backbones freeze the new parameters of their frozen stages
        for module in evaluated:
            module.training = False
    return [
        Placement(site, layers.get(site.name), site in fused)
        for site in sites
        if site.name in layers or not site.linear
    ]


def _fuse(
    model: nn.Module, taken: Mapping[Site, Rule], layers: Mapping[str, nn.Module]
) -> set[Site]:
    """Let layers compute the norms in front of them, as rules say, and return where they do."""
    fused = set()
    for site, rule in taken.items():
        names = (site.norm,) if site.norm else site.summed
        if not rule.fuse_norm or not names:
            continue
        layer = cast(DyReLU, layers[site.name])  # no other folds norms
        owners = [name.rpartition(".") for name in names]
        norms = [(model.get_submodule(owner), name) for owner, _, name in owners]
        if site.norm:
            layer.fold_norm(*norms[0])
        else:
            layer.fold_sum(*norms)
        fused.add(site)
    return fused


def _factory(rule: Rule, act: dict) -> Callable[[Site], nn.Module]:
    """Return a function that builds the rule's layer for a site."""
    kind = act["type"]
    layer_class = _find(rule, kind) if isinstance(kind, str) else kind
    is_dyrelu = inspect.isclass(layer_class) and issubclass(layer_class, DyReLU)
    takes_channels = is_dyrelu or "channels" in inspect.signature(layer_class).parameters
    start = {"init": "identity"} if is_dyrelu and rule.linear else {}
    if rule.fuse_norm and not is_dyrelu:
        raise PlacementError(
            f"{rule}: {kind} cannot compute a norm; use fuse_norm=True with a DyReLU"
        )

    def build(site: Site) -> nn.Module:
        if takes_channels and not is_dyrelu and (site.channels_last or len(site.size) != 2):
            seen = "(N, H, W, C)" if site.channels_last else f"of size {site.size}"
            raise PlacementError(
                f"{rule}: {kind} is for maps (N, C, H, W), and {site.name} sees maps {seen}; use "
                "DyReLUA, DyReLUB or DyReLUC there"
            )
        width = {"channels": site.channels} if takes_channels else {}
        try:
            with torch.device("cpu"):  # whatever new tensors go to; `_put` takes it to the model
                return MODELS.build({**start, **act, **width})
        except Exception as error:
            raise PlacementError(
                f"{rule}: {kind} cannot be built for {site.name} with {site.channels} channels: "
                f"{error}"
            ) from error

    return build


def _find(rule: Rule, kind: str) -> Callable[..., nn.Module]:
    """Look a layer type up where `MODELS.build` will, in the default scope and above it."""
    with MODELS.switch_scope_and_registry(None) as registry:
        if (layer_class := registry.get(kind)) is not None:
            return layer_class
        names = {}
        while registry is not None:
            names.update((name.lower(), name) for name in registry.module_dict)
            registry = registry.parent
    close = [names[name] for name in difflib.get_close_matches(kind.lower(), names)]
    raise PlacementError(
        f"{rule}: no activation {kind!r} is registered; "
        f"{'close: ' + ', '.join(close) if close else 'import the module that registers it'}"
    )


def _check_overwrites(rule: Rule, site: Site, layer: nn.Module) -> None:
    if not isinstance(layer, DyReLU) and not getattr(layer, "inplace", False):
        raise PlacementError(
            f"{rule}: {site.name} overwrites its input in place, and that is read again, so that "
            f"{type(layer).__name__}, which does not, would change more than the activation; "
            "use a DyReLU, or build the model with inplace=False there"
        )


def _fit(site: Site, original: nn.Module, layer: nn.Module | None) -> None:
    """Tell the DyReLU at a site, if one is there, what to do with its input."""
    layer = layer or original
    if isinstance(layer, DyReLU):
        inplace = layer.inplace or getattr(original, "inplace", False)
        layer.inplace = bool(inplace) and (site.overwritable or site.overwrites)
        layer.reread = site.overwrites
        layer.overwritten = site.overwritten
        layer.channels_last = site.channels_last


def _put(model: nn.Module, layers: dict[str, nn.Module]) -> None:
    known = (p for p in model.parameters() if p.is_floating_point() and not is_lazy(p))
    like = next(known, None)
    successors = {}
    for name, layer in layers.items():
        original = model.get_submodule(name)
        layer.train(original.training)
        if isinstance(original, DyReLU):
            original.unfold_norm()
        successors[original] = layer if like is None else layer.to(like)
    replace(model, successors)
