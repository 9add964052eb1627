"""An optimizer, its clipping and its schedules are built and tried before anything is written."""

import pytest
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from torch import nn

from dyrelu_pose.config import optimizer
from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.optimizer import check_optimizer
from dyrelu_pose.layers import DyReLUB
from tests.scripts import DEMO


@pytest.fixture
def cfg():
    return Config.fromfile(DEMO)


@pytest.fixture
def warnings(monkeypatch):
    """What the check logs."""
    logged = []
    monkeypatch.setattr(optimizer, "print_log", lambda text, *_: logged.append(text))
    return logged


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("optim_wrapper.optimizer.lr", "2e-3", "optim_wrapper of the config cannot be built: Type"),
        ("optim_wrapper.optimizer.betas", (2, 3), "optim_wrapper of the config .* beta parameter"),
        ("optim_wrapper.clip_grad", dict(max_norm="1x"), r"optim_wrapper\.clip_grad .* ValueError"),
        ("optim_wrapper.clip_grad", dict(type="value", clip_value=None), r"\.clip_grad .* TypeErr"),
        ("param_scheduler", [dict(type="CosineRestartLR", periods=[2])], r"\.0 of .* AssertionEr"),
        ("param_scheduler.0.begin", 10**6, r"param_scheduler\.0 of the config cannot be built"),
    ],
)
def test_the_key_is_named(cfg, key, value, message):
    cfg.merge_from_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))


def test_an_optimizer_of_several_processes_is_left_alone(cfg):
    zero = dict(type="ZeroRedundancyOptimizer", optimizer_type="AdamW", lr=1e-3)
    cfg.optim_wrapper.optimizer = zero
    check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize("milestone", ["170", 1.5, float("inf")])
def test_a_milestone_that_is_never_reached_is_named(cfg, milestone):
    cfg.param_scheduler = dict(type="MultiStepLR", milestones=[1, milestone], by_epoch=True)
    message = rf"param_scheduler\.0 of the config .* milestone {milestone!r} is not a whole number"
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (dict(type="StepLR", step_size=0), "before epoch 2 of 8, fails: ZeroDivisionError"),
        (dict(type="OneCycleLR", eta_max=0.1, total_steps=4), "before epoch 6 of 8, fails: Value"),
        (dict(type="MultiStepLR", milestones=[3], gamma="x"), "fails: TypeError"),
        (dict(type="StepLR", step_size=5, gamma=-0.1), "before epoch 6 of 8, makes the rate -"),
        (dict(type="ExponentialLR", gamma=float("nan")), "before epoch 2 of 8, makes the rate nan"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("unit", ["epoch", "iter"])
def test_a_schedule_that_fails_later_is_named(cfg, schedule, message, unit):
    cfg.train_cfg = {f"max_{unit}s": 8, "by_epoch": unit == "epoch"}
    fine = dict(type="LinearLR", start_factor=0.1, end=3, by_epoch=unit == "epoch")
    cfg.param_scheduler = [fine, dict(schedule, by_epoch=unit == "epoch")]
    with pytest.raises(
        ConfigError, match=rf"param_scheduler\.1 of the config, .*{message.replace('epoch', unit)}"
    ):
        check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize(
    "schedule",
    [
        dict(type="LinearLR", start_factor=1e-4, end=3, convert_to_iter_based=True),
        dict(type="OneCycleLR", eta_max=0.1, total_steps=8),
        dict(type="CosineAnnealingLR", T_max=3),
        dict(type="ReduceOnPlateauLR", monitor="coco/AP", rule="greater"),
        dict(type="LinearLR", start_factor=0.1, end=500, by_epoch=False),
    ],
    ids=lambda value: value["type"],
)
def test_a_schedule_that_lasts_passes(cfg, schedule):
    cfg.train_cfg.max_epochs = 8
    cfg.param_scheduler = schedule
    check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("kind", "paramwise", "key"),
    [
        ("SGD", dict(norm_decay_mult=0), "norm_decay_mult"),
        ("AdamW", dict(flat_decay_mult=0), "flat_decay_mult"),
        ("AdamW", dict(custom_keys=dict(weight=dict(decay_mult=0))), "custom_keys.weight.dec"),
        ("SGD", dict(custom_keys=dict(weight=dict(lr_mult=0.1))), None),
    ],
)
def test_a_share_of_no_weight_decay_is_named(cfg, kind, paramwise, key):
    cfg.param_scheduler = None
    cfg.optim_wrapper = dict(optimizer=dict(type=kind, lr=0.1), paramwise_cfg=paramwise)
    if key is None:
        check_optimizer(cfg, nn.Linear(1, 1))
        return
    message = rf"^optim_wrapper\.paramwise_cfg\.{key}.* scales .*weight_decay, which is not set"
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))


def test_a_constructor_that_needs_a_weight_decay_is_named(cfg):
    cfg.param_scheduler = None
    cfg.optim_wrapper = dict(
        constructor="LayerDecayOptimWrapperConstructor",
        optimizer=dict(type="AdamW", lr=1e-3),
        paramwise_cfg=dict(num_layers=12, layer_decay_rate=0.8),
    )
    message = r"LayerDecayOptimWrapperCon.* their own weight_decay: set optim_wrapper\.opt"
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))
    cfg.optim_wrapper.optimizer.weight_decay = 0.05
    check_optimizer(cfg, nn.Linear(1, 1))


ABSOLUTE = dict(eta_min=1e-3, T_max=8)


@pytest.mark.parametrize(
    ("schedule", "advice"),
    [
        (dict(type="CosineAnnealingLR", **ABSOLUTE), "take eta_min_ratio=0.5 in its place"),
        (dict(type="CosineAnnealingLR", **ABSOLUTE, by_epoch=False, begin=100), "take eta_min_r"),
        (dict(type="PolyLR", eta_min=1e-3), "take CosineAnnealingLR and eta_min_ratio=0.5 in its"),
    ],
    ids=["Cosine", "Cosine by iterations", "Poly"],
)
def test_a_schedule_that_raises_slower_rates_is_warned_of(cfg, schedule, advice, warnings):
    cfg.optim_wrapper.optimizer.lr = 2e-3
    cfg.param_scheduler = schedule
    check_optimizer(cfg, nn.Linear(1, 1))
    assert not warnings
    check_optimizer(cfg, DyReLUB(64))
    (said,) = warnings
    assert f"param_scheduler.0 of the config, {schedule['type']}, raises the lo" in said
    assert "eta_min=0.001, and optim_wrapper (constructor, paramwise_cfg) makes" in said
    assert "whose rates are 0.000125 to 0.002: " in said
    assert advice in said


@pytest.mark.parametrize(
    "schedule",
    [
        dict(type="CosineAnnealingLR", eta_min_ratio=0.5, T_max=8),
        dict(type="CosineAnnealingLR", eta_min=1e-4, T_max=8),
        dict(type="ReduceOnPlateauLR", monitor="coco/AP", min_value=1e-3),
        dict(type="CosineAnnealingMomentum", eta_min=0.1, T_max=8),
    ],
    ids=lambda value: value["type"],
)
def test_a_schedule_that_raises_no_rate_passes(cfg, schedule, warnings):
    cfg.optim_wrapper.optimizer.lr = 2e-3
    cfg.param_scheduler = schedule
    check_optimizer(cfg, DyReLUB(64))
    assert not warnings


def test_one_cycle_of_one_rate_is_refused_where_groups_have_several(cfg):
    cfg.optim_wrapper.optimizer.lr = 2e-3
    cfg.param_scheduler = dict(type="OneCycleLR", eta_max=0.01, total_steps=9000, by_epoch=False)
    check_optimizer(cfg, nn.Linear(1, 1))
    message = (
        r"param_scheduler\.0 of the config, OneCycleLR, gives all parameters one rate, by "
        r"eta_max=0\.01, and .* 0\.000125 to 0\.002: take LinearLR and then CosineAnnealingLR"
    )
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, DyReLUB(64))
    cfg.optim_wrapper.paramwise_cfg.custom_keys = dict(weight=dict(lr_mult=0.1))
    with pytest.raises(ConfigError, match="rates are 0.0002 to 0.002"):
        check_optimizer(cfg, nn.Linear(1, 1))


def test_one_cycle_may_have_a_rate_for_each_group(cfg):
    groups = len(build_optim_wrapper(DyReLUB(64), cfg.optim_wrapper).param_groups)
    rates = [0.01 / (i + 1) for i in range(groups)]
    cfg.param_scheduler = dict(type="OneCycleLR", eta_max=rates, total_steps=8)
    check_optimizer(cfg, DyReLUB(64))


def test_whole_numbers_may_be_floats(cfg):
    cfg.train_cfg.max_epochs = 10.0
    cfg.param_scheduler = dict(type="MultiStepLR", milestones=[10 * 0.8], by_epoch=True)
    check_optimizer(cfg, nn.Linear(1, 1))
    cfg.param_scheduler.gamma = -1
    with pytest.raises(ConfigError, match="before epoch 9 of 10, makes the rate -"):
        check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize("clip", [dict(max_norm=35), dict(type="value", clip_value=1.0), None])
def test_what_can_be_used_passes(cfg, clip):
    cfg.optim_wrapper.clip_grad = clip
    cfg.param_scheduler = dict(type="MultiStepLR", milestones=[170, 200], by_epoch=True)
    model = nn.Linear(1, 1)
    check_optimizer(cfg, model)
    assert model.weight.grad is None
