"""An optimizer, its clipping and its schedules are built and tried before anything is written."""

import pytest
from mmengine.config import Config
from torch import nn

from dyrelu_pose.config.errors import ConfigError
from dyrelu_pose.config.optimizer import check_optimizer
from tests.scripts import DEMO


@pytest.fixture
def cfg():
    return Config.fromfile(DEMO)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("optim_wrapper.optimizer.lr", "2e-3", "optim_wrapper of the config cannot be built: Type"),
        ("optim_wrapper.optimizer.betas", (2, 3), "optim_wrapper of the config .* beta parameter"),
        ("optim_wrapper.clip_grad", dict(max_norm="1x"), r"optim_wrapper\.clip_grad .* ValueError"),
        ("optim_wrapper.clip_grad", dict(type="value", clip_value=None), r"\.clip_grad .* TypeErr"),
        ("param_scheduler.0.begin", 10**6, r"param_scheduler\.0 of the config cannot be built"),
    ],
)
def test_the_key_is_named(cfg, key, value, message):
    cfg.merge_from_dict({key: value})
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize("milestone", ["170", 1.5])
def test_a_milestone_that_is_never_reached_is_named(cfg, milestone):
    cfg.param_scheduler = dict(type="MultiStepLR", milestones=[1, milestone], by_epoch=True)
    message = rf"param_scheduler\.0 of the config .* milestone {milestone!r} is no whole number"
    with pytest.raises(ConfigError, match=message):
        check_optimizer(cfg, nn.Linear(1, 1))


@pytest.mark.parametrize("clip", [dict(max_norm=35), dict(type="value", clip_value=1.0), None])
def test_what_can_be_used_passes(cfg, clip):
    cfg.optim_wrapper.clip_grad = clip
    cfg.param_scheduler = dict(type="MultiStepLR", milestones=[170, 200], by_epoch=True)
    model = nn.Linear(1, 1)
    check_optimizer(cfg, model)
    assert model.weight.grad is None
