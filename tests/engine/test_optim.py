"""Rates by fan-in: which parameters get which, under which optimizer, and the warning without."""

import logging

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, LinearLR, build_optim_wrapper
from torch import nn

from dyrelu_pose.engine import HyperRateHook
from dyrelu_pose.engine.optim import is_adam_like
from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLUB, DyReLUC

RATE = 1e-2


class Net(nn.Module):
    """Fan-ins of 64 (FC1, map), 8 (FC2 of B) and 16 (FC2 of C)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 1)
        self.bn = nn.BatchNorm2d(64)
        self.b = DyReLUB(64, reduction=8)
        self.c = DyReLUC(64, reduction=4)

    def forward(self, x):
        return self.c(self.b(self.bn(self.conv(x))))


def build(model, optimizer="AdamW", lr=RATE, weight_decay=0.1, kind="OptimWrapper",
          constructor="DyReLUOptimWrapperConstructor", **paramwise):  # fmt: skip
    rate = {} if lr is None else dict(lr=lr)
    cfg = dict(
        type=kind,
        constructor=constructor,
        optimizer=dict(type=optimizer, weight_decay=weight_decay, **rate),
        paramwise_cfg=paramwise or None,
    )
    return build_optim_wrapper(model, cfg)


def settings(wrapper, model, key="lr"):
    """Return a setting of each parameter by name."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {
        names[p]: group[key] for group in wrapper.optimizer.param_groups for p in group["params"]
    }


# What each name's rate is multiplied by, at 4 / fan-in; all other names by 1.
BY_FAN_IN = {
    "b.fc1.weight": 4 / 64,
    "b.fc2.weight": 4 / 8,
    "c.fc1.weight": 4 / 64,
    "c.fc2.weight": 4 / 16,
    "c.spatial.weight": 4 / 64,
}


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop"])
def test_matrices_learn_by_fan_in_and_the_rest_at_the_rate(optimizer):
    model = Net()
    rates = settings(build(model, optimizer), model)
    assert rates.keys() == dict(model.named_parameters()).keys()
    assert rates == {name: pytest.approx(RATE * BY_FAN_IN.get(name, 1)) for name in rates}


def test_a_scale_beyond_the_fan_in_leaves_the_rate():
    model = Net()
    rates = settings(build(model, hyper_lr_scale=16), model)
    assert rates["b.fc1.weight"] == pytest.approx(RATE / 4)
    assert rates["b.fc2.weight"] == rates["c.fc2.weight"] == RATE


def test_biases_follow_their_matrices_if_asked():
    model = Net()
    rates = settings(build(model, hyper_lr_biases=True), model)
    assert rates["b.fc1.bias"] == rates["b.fc1.weight"] == pytest.approx(RATE / 16)
    assert rates["conv.bias"] == rates["bn.bias"] == RATE


@pytest.mark.parametrize(
    "paramwise",
    [
        {},
        dict(norm_decay_mult=0, bias_decay_mult=0, bias_lr_mult=2),
        dict(flat_decay_mult=0.5),
        dict(custom_keys={"b.": dict(lr_mult=0.1, decay_mult=0), "conv": dict(lr_mult=3)}),
    ],
)
def test_the_rest_of_paramwise_cfg_is_as_in_mmengine(paramwise):
    model = Net()
    ours = build(model, **paramwise)
    default = build(model, constructor="DefaultOptimWrapperConstructor", **paramwise)
    expected = settings(default, model)
    for name, factor in BY_FAN_IN.items():
        expected[name] *= factor
    assert settings(ours, model) == pytest.approx(expected)
    assert settings(ours, model, "weight_decay") == settings(default, model, "weight_decay")


def test_default_settings_may_be_forced_as_by_mmposes_constructor():
    model = Net()
    paramwise = dict(
        norm_decay_mult=0, force_default_settings=True, custom_keys=dict(bn=dict(lr_mult=0.1))
    )
    ours = build(model, **paramwise)
    theirs = build(model, constructor="ForceDefaultOptimWrapperConstructor", **paramwise)
    assert settings(ours, model, "weight_decay") == settings(theirs, model, "weight_decay")
    rates = settings(theirs, model)
    assert settings(ours, model) == {name: rates[name] * BY_FAN_IN.get(name, 1) for name in rates}


def test_duplicates_are_bypassed_and_slowed_once():
    model = Net()
    model.again = nn.Sequential(model.b)
    rates = settings(build(model, bypass_duplicate=True), model)
    assert rates["b.fc1.weight"] == pytest.approx(RATE * 4 / 64)


def test_parameters_of_equal_settings_share_a_group():
    wrapper = build(Net())
    assert [len(group["params"]) for group in wrapper.optimizer.param_groups] == [8, 3, 1, 1]


@pytest.mark.parametrize("optimizer", ["SGD", "Adadelta"])
def test_other_optimizers_get_mmengines_groups(optimizer):
    model = Net()
    (group,) = build(model, optimizer).optimizer.param_groups
    assert group["lr"] == RATE
    assert len(group["params"]) == len(list(model.parameters()))


def test_a_model_without_dyrelu_learns_at_the_rate():
    model = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8))
    (group,) = build(model).optimizer.param_groups
    assert group["lr"] == RATE


def test_the_optimizers_own_rate_where_the_config_has_none():
    model = Net()
    rates = settings(build(model, lr=None), model)
    assert rates["conv.weight"] == 1e-3
    assert rates["b.fc1.weight"] == pytest.approx(1e-3 * 4 / 64)


def test_frozen_parameters_are_left_out():
    model = Net()
    model.b.requires_grad_(False)
    rates = settings(build(model), model)
    assert not any(name.startswith("b.") for name in rates)
    assert rates["c.fc1.weight"] == pytest.approx(RATE * 4 / 64)


def test_schedulers_start_from_each_rate():
    model = Net()
    wrapper = build(model, norm_decay_mult=0)
    start = settings(wrapper, model)
    warm_up = LinearLR(wrapper, start_factor=0.1, begin=0, end=4)
    anneal = CosineAnnealingLR(wrapper, eta_min_ratio=0.01, begin=4, end=8, T_max=4)
    shares = []  # of the rate, which all parameters have in common
    for _ in range(8):
        now = settings(wrapper, model)
        share = now["conv.weight"] / RATE
        assert now == pytest.approx({name: rate * share for name, rate in start.items()})
        shares.append(share)
        wrapper.step()
        warm_up.step()
        anneal.step()
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1)
    assert shares[-1] < 0.2


def test_a_step_moves_each_weight_by_its_own_rate():
    model = Net()
    nn.init.normal_(model.b.fc2.weight)
    wrapper = build(model, "Adam", weight_decay=0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    wrapper.update_params(model(torch.randn(2, 3, 4, 4)).square().mean())
    moved = {name: (p - before[name]).abs().max().item() for name, p in model.named_parameters()}
    assert moved["conv.weight"] == pytest.approx(RATE, rel=1e-2)
    assert moved["b.fc1.weight"] == pytest.approx(RATE * 4 / 64, rel=1e-2)


def test_mixed_precision_has_the_same_groups(monkeypatch):
    amp = "mmengine.optim.optimizer.amp_optimizer_wrapper"
    monkeypatch.setattr(f"{amp}.is_cuda_available", lambda: True)
    model = Net()
    wrapper = build(model, kind="AmpOptimWrapper")
    assert isinstance(wrapper, AmpOptimWrapper)
    assert settings(wrapper, model) == settings(build(model), model)


def test_a_wrapped_model_is_seen_through():
    model = Net()
    wrapped = nn.Module()
    wrapped.module = model
    assert settings(build(wrapped), model) == settings(build(model), model)


@pytest.mark.parametrize("scale", [0, -1, "4"])
def test_a_scale_that_is_no_positive_number_is_refused(scale):
    with pytest.raises(UserError, match=r"hyper_lr_scale must be a positive number, not"):
        build(Net(), hyper_lr_scale=scale)


def test_which_optimizers_are_like_adam():
    alike = ("Adam", "AdamW", "bnb_Adam8bit", "Adan", "Lion", "Adagrad", torch.optim.NAdam)
    assert all(is_adam_like(dict(type=kind)) for kind in alike)
    others = ("SGD", "LBFGS", "Adadelta", "Adafactor", "Muon", torch.optim.ASGD)
    assert not any(is_adam_like(dict(type=kind)) for kind in others)
    assert is_adam_like(dict(type="ZeroRedundancyOptimizer", optimizer_type="AdamW"))


class Runner:
    """What the hook sees of a runner."""

    def __init__(self, model, rank=0, **optim_wrapper):
        self.model, self.rank = model, rank
        self.cfg = Config(dict(optim_wrapper=optim_wrapper))


ADAM = dict(type="AdamW", lr=RATE)


@pytest.mark.parametrize(
    ("runner", "warned"),
    [
        (lambda: Runner(Net(), optimizer=ADAM), True),
        (lambda: Runner(Net(), optimizer=ADAM, constructor="DefaultOptimWrapperConstructor"), True),
        (lambda: Runner(Net(), optimizer=ADAM, constructor="DyReLUOptimWrapperConstructor"), False),
        (lambda: Runner(Net(), optimizer=dict(type="SGD", lr=RATE)), False),
        (lambda: Runner(nn.Conv2d(3, 8, 1), optimizer=ADAM), False),
        (lambda: Runner(Net(), rank=1, optimizer=ADAM), False),
    ],
    ids=["default", "named", "ours", "SGD", "no DyReLU", "other process"],
)
def test_the_warning_says_what_to_write(runner, warned, monkeypatch):
    written = []
    monkeypatch.setattr(
        "dyrelu_pose.engine.optim.print_log",
        lambda text, logger, level: written.append((text, level)),
    )
    HyperRateHook().before_train(runner())
    assert bool(written) == warned
    for text, level in written:
        assert "constructor='DyReLUOptimWrapperConstructor'" in text
        assert "2 DyReLU layers" in text
        assert level == logging.WARNING
