"""An error while a config is being built names the part of it; other errors stay what they are."""

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import TestLoop
from mmpose.registry import MODELS
from torch import nn

from dyrelu_pose.config.errors import ConfigError, expect, named_parts
from dyrelu_pose.errors import UserError


def config(**backbone):
    return Config(
        dict(
            model=dict(
                type="TopdownPoseEstimator", backbone=dict(type="ResNet", depth=18, **backbone)
            )
        )
    )


def test_the_innermost_part_is_named_with_what_is_in_it():
    cfg = config(base_channels="text")
    expected = (
        r"model\.backbone of the config cannot be built: TypeError: .* \(\w+\.py, line \d+\); "
        r"it is {'base_channels': 'text', 'depth': 18, 'type': 'ResNet'}"
    )
    with pytest.raises(ConfigError, match=expected), named_parts(cfg):
        MODELS.build(cfg.model)


def test_a_key_that_an_estimator_with_dyrelu_does_not_know_is_named():
    cfg = config()
    cfg.model.update(
        type="DyReLUPoseEstimator", estimator="TopdownPoseEstimator", bckbone=1, input_size=(9, 9)
    )
    message = r"^model of the config cannot be built: .* unexpected .*'bckbone'"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        MODELS.build(cfg.model)


def test_a_part_that_is_no_dict_is_named():
    cfg = config()
    cfg.model.backbone = 7
    message = r"model\.backbone .*cannot be built.*it is 7"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        MODELS.build(cfg.model)


def test_in_a_list_it_is_named_by_its_number():
    cfg = Config(dict(models=[dict(type="ResNet", depth=18), dict(type="ResNet", depth=17)]))
    with pytest.raises(ConfigError, match=r"models\.1 .*invalid depth 17"), named_parts(cfg):
        for model in cfg.models:
            MODELS.build(model)


def test_parts_that_mmengine_builds_in_its_own_way_are_named():
    cfg = config()
    cfg.optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adamm", lr=1))
    cfg.param_scheduler = dict(type="Steps", begin=3, by_epoch=True)
    message = r"optim_wrapper of .*it is {'optimizer': {'lr': 1, 'type': 'Adamm'}"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        build_optim_wrapper(nn.Linear(1, 1), cfg.optim_wrapper)
    with pytest.raises(ConfigError, match="param_scheduler of .*Steps"), named_parts(cfg):
        PARAM_SCHEDULERS.build(dict(type="Steps", begin=3))


class Broken(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return results[0]["no such"]


class Loop(TestLoop):
    def __init__(self, evaluator):
        self.evaluator = evaluator

    def run(self):
        return self.evaluator.evaluate(1)


def test_a_metric_that_fails_is_named():
    cfg = Config(dict(val_evaluator=[dict(type="Broken")], test_evaluator=dict(type="Broken")))
    evaluator = Evaluator([Broken()])
    evaluator.process([{}])
    message = r"val_evaluator of the config cannot be computed: KeyError: no such \(.*Broken"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        evaluator.evaluate(1)
    with pytest.raises(ConfigError, match="test_evaluator of"), named_parts(cfg):
        Loop(evaluator).run()


def test_a_head_whose_loss_fails_is_named():
    cfg = Config(dict(model=dict(head=dict(type="RegressionHead", in_channels=2, num_joints=3))))
    head = MODELS.build(cfg.model.head)
    message = r"model\.head of the config cannot be computed: \w+: .*RegressionHead"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        head.loss((torch.zeros(1, 5, 1, 1),), [])


@pytest.mark.parametrize("error", [ZeroDivisionError("in training"), UserError("clear as it is")])
def test_other_errors_pass_through(error):
    with pytest.raises(type(error)) as raised, named_parts(config()):
        raise error
    assert raised.value is error


def test_a_step_that_cannot_be_compiled_is_named():
    cfg = Config(dict(compile=dict(backend="none")))
    message = r"compile of the config is {'backend': 'none'}, and .* InvalidBackend: .*; leave it"
    with pytest.raises(ConfigError, match=message), named_parts(cfg):
        torch.compile(nn.Linear(1, 1), **cfg.compile)


def test_a_model_that_is_not_of_the_config_is_left_alone():
    with pytest.raises(KeyError, match="invalid depth 17"), named_parts(config()):
        MODELS.build(dict(type="ResNet", depth=17))


def test_expect_names_the_key_and_the_type():
    assert expect("text", (str, dict), "model") == "text"
    with pytest.raises(ConfigError, match="model of the config is 7: it has to be a str or a dict"):
        expect(7, (str, dict), "model")
