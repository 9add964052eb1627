"""DyReLU's coefficients while it trains: how they are distributed, and whether they still move."""

from fnmatch import fnmatchcase
from functools import partial

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLU
from dyrelu_pose.placement import near_misses

from .launch import unwrapped
from .tensorboard import check_tensorboard, tensorboard_of


@HOOKS.register_module()
class CoefficientHistogramHook(Hook):
    """Write histograms of slopes and intercepts, over a batch and channels, to TensorBoard.

    There is one for each site and branch, such as `a_1/backbone.layer1.0.relu1`; where they are one
    spike for long, the layer has stayed static. Beside them are two scalars: `std_images/a_1/...`,
    how far a channel's coefficient varies over the images of the batch (root mean square of the
    channels' standard deviations), and `hidden_alive/...`, the share of hidden units of the hyper
    function that are above 0 on any of them. Switch it on in any config with

        --cfg-options default_hooks.coefficients.type=CoefficientHistogramHook

    Args:
        interval: Iterations between histograms.
        sites: Pattern of the sites, as in a rule.

    Raises:
        UserError: TensorBoard is not installed, or, when training begins, no DyReLU matches.
    """

    def __init__(self, interval: int = 200, sites: str = "*") -> None:
        check_tensorboard(type(self).__name__)
        self.interval = interval
        self.sites = sites
        self.layers: dict[str, DyReLU] = {}
        self.handles: list[RemovableHandle] = []
        self.coefficients: dict[str, tuple[Tensor, Tensor]] = {}
        self.alive: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        """Find the layers."""
        named = unwrapped(runner.model).named_modules()
        layers = {n: m for n, m in named if isinstance(m, DyReLU)}
        self.layers = {n: m for n, m in layers.items() if fnmatchcase(n, self.sites)}
        if not self.layers:
            raise UserError(
                f"CoefficientHistogramHook: {self.sites!r} matches none of the model's "
                f"{len(layers)} DyReLU layers; {near_misses(self.sites, list(layers))}"
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Have the coefficients of this iteration kept, if it is one to be logged."""
        if self.every_n_train_iters(runner, self.interval) and runner.rank == 0:
            for name, layer in self.layers.items():
                keep = partial(self._keep, name)
                self.handles.append(layer.register_forward_pre_hook(keep))

    @torch.no_grad()
    def _keep(self, name: str, layer: DyReLU, args: tuple) -> None:
        self.coefficients[name] = layer.coefficients(args[0])
        self.alive[name] = (layer.hidden(args[0]) > 0).any(0).float().mean()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Write histograms and scalars, if this was such an iteration."""
        if not self.handles:
            return
        for handle in self.handles:
            handle.remove()
        writer, step = tensorboard_of(runner).experiment, runner.iter + 1
        for name, coefficients in self.coefficients.items():
            for letter, values in zip("ab", coefficients, strict=True):
                for k, branch in enumerate(values.float().unbind(2), start=1):  # (N, C)
                    tag = f"{letter}_{k}/{name}"
                    spread = branch.var(0, correction=0).mean().sqrt()
                    writer.add_histogram(tag, branch, step)
                    writer.add_scalar(f"std_images/{tag}", spread, step)
            writer.add_scalar(f"hidden_alive/{name}", self.alive[name], step)
        self.handles, self.coefficients, self.alive = [], {}, {}
