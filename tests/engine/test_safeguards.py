"""Every training has the project's hooks once, and its loop over epochs in place of MMEngine's."""

import pytest
from mmengine.config import Config
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop

from dyrelu_pose.engine import add_hooks, add_safeguards
from dyrelu_pose.engine.preemption import PreemptionHook

ALWAYS = ["StartHook", "NonFiniteLossHook", "PreemptionHook", "HyperRateHook"]


@pytest.mark.parametrize(
    ("loop", "ours"),
    [
        (dict(by_epoch=True, max_epochs=2), True),
        (dict(type="EpochBasedTrainLoop", max_epochs=2), True),
        (dict(type="mmengine.EpochBasedTrainLoop", max_epochs=2), True),
        (dict(type=EpochBasedTrainLoop, max_epochs=2), True),
        (dict(by_epoch=False, max_iters=2), False),
        (dict(type=IterBasedTrainLoop, max_iters=2), False),
        (dict(type="Own", max_epochs=2), False),
    ],
)
def test_the_loop_over_epochs_is_replaced_however_it_is_given(loop, ours):
    cfg = Config(dict(train_cfg=dict(loop)))
    add_safeguards(cfg)
    assert cfg.train_cfg == (dict(type="ResumableTrainLoop", max_epochs=2) if ours else loop)


def test_hooks_that_are_there_are_not_added_again():
    cfg = Config(dict(train_cfg=dict(by_epoch=True), randomness=dict(deterministic=True)))
    add_safeguards(cfg)
    once = cfg.to_dict()
    assert [hook["type"] for hook in once["custom_hooks"]] == [*ALWAYS, "ReproducibleHook"]
    add_safeguards(cfg)  # the config that the training has dumped
    assert cfg.to_dict() == once


def test_a_flag_adds_its_hook_once():
    cfg = Config(dict(custom_hooks=[dict(type="CudaGraphHook"), dict(type="EMAHook")]))
    add_hooks(cfg, "CudaGraphHook")
    assert [hook["type"] for hook in cfg.custom_hooks] == ["CudaGraphHook", "EMAHook"]


def test_hooks_may_be_given_as_classes_or_built():
    hooks = [dict(type="mmpose.StartHook"), dict(type=PreemptionHook), PreemptionHook()]
    cfg = Config(dict(train_cfg=dict(by_epoch=True), custom_hooks=hooks))
    add_safeguards(cfg)
    added = [hook["type"] for hook in cfg.custom_hooks[3:]]
    assert added == ["NonFiniteLossHook", "HyperRateHook"]
