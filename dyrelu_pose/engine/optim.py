"""The rate at which hyper functions learn under Adam: by the width of what they read."""

import inspect
import logging
import re
from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import HOOKS, OPTIM_WRAPPER_CONSTRUCTORS, OPTIMIZERS
from mmengine.runner import Runner
from mmpose.engine.optim_wrappers import ForceDefaultOptimWrapperConstructor
from torch import nn

from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.layers.dense import Dense, Weights

from .launch import unwrapped

# Optimizers that move every weight by about the learning rate, however small its gradient. Not the
# ones that move a whole tensor by a share of its own size (LAMB, LARS, Adafactor, Muon).
ADAM_LIKE = re.compile("adam|adan|adabelief|adagrad|rmsprop|lion|sophia", re.IGNORECASE)
SCALE = 4.0  # results/README.md says what was measured


def is_adam_like(optimizer: dict) -> bool:
    """Whether the steps of a config's optimizer are as long as its learning rate says."""
    kind = optimizer.get("optimizer_type", optimizer["type"])  # of a ZeroRedundancyOptimizer
    name = kind if isinstance(kind, str) else kind.__name__
    return ADAM_LIKE.search(name) is not None


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class DyReLUOptimWrapperConstructor(ForceDefaultOptimWrapperConstructor):
    """MMEngine's constructor, except for the rates of DyReLU's matrices under Adam and its like.

    The weights of FC1, of FC2 and of the convolution for C's map learn at

        rate * min(1, scale / fan_in)

    of what `paramwise_cfg` gives them. Under Adam every weight moves by about the rate in a step,
    so a coefficient, a sum over many of them, moves by the rate times their number: noise in
    every slope, which can kill hidden units. A rate by fan-in is what mu-P (arXiv 2203.03466)
    prescribes for hidden weights. SGD does not need it and gets MMEngine's groups.

    Schedulers start from each group's own rate. One that ends at an absolute `eta_min` may end
    above it: write `eta_min_ratio`. `OneCycleLR` has one rate for all, and is refused by
    `tools/train.py`.

    Args:
        optim_wrapper_cfg: See `mmengine.optim.DefaultOptimWrapperConstructor`.
        paramwise_cfg: As well, all of its keys; `force_default_settings`, which makes MMPose's
            `ForceDefaultOptimWrapperConstructor` the one that the groups are as of; and
            `hyper_lr_scale`, the scale above (4), and `hyper_lr_biases`, whether the biases of a
            layer learn as its matrix does (no).

    Raises:
        UserError: `hyper_lr_scale` is not a positive number.

    Example:
        optim_wrapper = dict(
            constructor="DyReLUOptimWrapperConstructor",
            optimizer=dict(type="AdamW", lr=1e-3),
            paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0),
        )
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None) -> None:
        super().__init__(optim_wrapper_cfg, paramwise_cfg)
        self.scale = self.paramwise_cfg.get("hyper_lr_scale", SCALE)
        self.biases = self.paramwise_cfg.get("hyper_lr_biases", False)
        if not isinstance(self.scale, int | float) or self.scale <= 0:
            raise UserError(
                "optim_wrapper.paramwise_cfg.hyper_lr_scale must be a positive number, "
                f"not {self.scale!r}"
            )
        self.by_fan_in = is_adam_like(self.optimizer_cfg)
        if not self.by_fan_in:
            return
        # MMEngine makes one group of all parameters where paramwise_cfg is empty.
        self.paramwise_cfg = {**self.paramwise_cfg, "hyper_lr_scale": self.scale}
        if self.base_lr is None:
            self.base_lr = _default_rate(self.optimizer_cfg["type"])

    def add_params(
        self,
        params: list[dict],
        module: nn.Module,
        prefix: str = "",
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Add the groups of a module's parameters to `params`; equal ones together, in the end.

        See `mmengine.optim.DefaultOptimWrapperConstructor.add_params`.
        """
        first = len(params)
        forced = self.paramwise_cfg.get("force_default_settings", False)
        base = ForceDefaultOptimWrapperConstructor if forced else DefaultOptimWrapperConstructor
        base.add_params(self, params, module, prefix, is_dcn_module)
        if not self.by_fan_in:
            return
        if isinstance(module, DyReLU):
            self._slow(params[first:], module)
        if not prefix:
            self._report(module, params)
            params[:] = _merged(params)

    def _slow(self, groups: Sequence[dict], layer: DyReLU) -> None:
        """Scale the rates of groups of one parameter each, all of a layer's that are trained."""
        factors = {}
        for dense in layer.children():
            if isinstance(dense, Weights):
                factor = min(1.0, self.scale / dense.inputs)
                factors[dense.weight] = factor
                if self.biases and isinstance(dense, Dense):
                    factors[dense.bias] = factor
        for group in groups:
            (parameter,) = group["params"]
            if parameter in factors:
                group["lr"] = group.get("lr", self.base_lr) * factors[parameter]

    def _report(self, model: nn.Module, groups: Sequence[dict]) -> None:
        layers = [module for module in model.modules() if isinstance(module, DyReLU)]
        if layers:
            rates = [group.get("lr", self.base_lr) for group in groups]
            print_log(
                f"{type(self).__name__}: the matrices of {len(layers)} DyReLU layers learn at "
                f"{self.scale:g} / fan-in of their rate; rates are {min(rates):.3g} to "
                f"{max(rates):.3g}",
                logger="current",
            )


def _default_rate(kind: str | type) -> float:
    """Return the learning rate of an optimizer whose config gives none."""
    if isinstance(kind, str):
        with OPTIMIZERS.switch_scope_and_registry(None) as registry:
            optimizer = registry.get(kind)
    else:
        optimizer = kind
    return inspect.signature(optimizer).parameters["lr"].default


def _merged(groups: Sequence[dict]) -> list[dict]:
    """Return groups with the parameters of those of equal settings in one, in order.

    PyTorch updates the tensors of a group together, on a GPU in a few launches; MMEngine would make
    a group of each tensor.
    """
    merged: dict[tuple, dict] = {}
    for group in groups:
        settings = {key: value for key, value in group.items() if key != "params"}
        key = tuple(sorted((name, repr(value)) for name, value in settings.items()))
        merged.setdefault(key, {"params": [], **settings})["params"] += group["params"]
    return list(merged.values())


@HOOKS.register_module()
class HyperRateHook(Hook):
    """Warn, when training begins, that DyReLU learns too fast: by Adam, with another constructor.

    `tools/train.py` adds it to every training.
    """

    def before_train(self, runner: Runner) -> None:
        """Write the warning, once, if it is due."""
        cfg = runner.cfg.get("optim_wrapper")
        if runner.rank != 0 or not isinstance(cfg, dict) or "optimizer" not in cfg:
            return
        layers = sum(isinstance(module, DyReLU) for module in unwrapped(runner.model).modules())
        if layers and is_adam_like(cfg["optimizer"]) and not _slows(cfg.get("constructor")):
            print_log(
                f"{cfg['optimizer']['type']} trains the matrices of {layers} DyReLU layers at the "
                "full rate, at which coefficients move too fast; for a rate by fan-in write "
                "optim_wrapper = dict(constructor='DyReLUOptimWrapperConstructor', ...)",
                logger="current",
                level=logging.WARNING,
            )


def _slows(constructor: str | type | None) -> bool:
    kind = (
        OPTIM_WRAPPER_CONSTRUCTORS.get(constructor) if isinstance(constructor, str) else constructor
    )
    return isinstance(kind, type) and issubclass(kind, DyReLUOptimWrapperConstructor)
