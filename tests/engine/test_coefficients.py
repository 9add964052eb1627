"""Histograms of coefficients, with a writer that keeps them, and with TensorBoard's own."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmengine.visualization import TensorboardVisBackend
from torch import nn

from dyrelu_pose.engine import CoefficientHistogramHook, TensorboardHook
from dyrelu_pose.engine.tensorboard import tensorboard_of
from dyrelu_pose.errors import UserError
from dyrelu_pose.layers import DyReLUA, DyReLUB


class Backend(TensorboardVisBackend):
    """Keeps histograms and scalars instead of writing them."""

    def _init_env(self):
        self.kept, self.scalars = {}, {}
        self._tensorboard = SimpleNamespace(
            add_histogram=partial(self.keep, self.kept), add_scalar=partial(self.keep, self.scalars)
        )

    @staticmethod
    def keep(kept, tag, values, step):
        kept.setdefault(step, {})[tag] = values


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr("dyrelu_pose.engine.tensorboard.find_spec", lambda name: name)


@pytest.fixture
def runner():
    model = nn.Sequential(nn.Conv2d(3, 8, 1), DyReLUB(8), nn.ReLU(), DyReLUA(8, k=3))
    backends = {"own": Backend("nowhere")}
    visualizer = SimpleNamespace(_vis_backends=backends)
    return SimpleNamespace(model=model, iter=0, rank=0, visualizer=visualizer)


def train(hook, runner, iterations):
    hook.before_train(runner)
    for runner.iter in range(iterations):
        hook.before_train_iter(runner, runner.iter)
        runner.model(torch.randn(2, 3, 4, 4)).sum().backward()
        hook.after_train_iter(runner, runner.iter)


def test_every_branch_of_every_site_at_the_interval(installed, runner):
    train(CoefficientHistogramHook(interval=2), runner, 5)
    kept = runner.visualizer._vis_backends["own"].kept
    assert list(kept) == [2, 4]
    branches = {"1": 2, "3": 3}
    tags = {f"{c}_{i + 1}/{site}" for site, k in branches.items() for c in "ab" for i in range(k)}
    assert kept[2].keys() == tags
    assert kept[4]["a_1/1"].shape == (2, 8)
    assert kept[4]["b_3/3"].shape == (2, 1)
    assert torch.equal(kept[2]["a_1/1"], torch.ones(2, 8))  # starts at ReLU
    assert not any(value.requires_grad for value in kept[4].values())
    assert not any(module._forward_pre_hooks for module in runner.model)


def test_spread_over_images_and_living_units_of_every_site(installed, runner):
    nn.init.normal_(runner.model[1].fc2.weight)
    dead = runner.model[3].fc1
    nn.init.zeros_(dead.weight)
    nn.init.constant_(dead.bias, -1)
    train(CoefficientHistogramHook(interval=1), runner, 1)
    backend = runner.visualizer._vis_backends["own"]
    (scalars,) = backend.scalars.values()
    assert scalars.keys() == {
        *(f"std_images/{tag}" for tag in backend.kept[1]), "hidden_alive/1", "hidden_alive/3"
    }  # fmt: skip
    assert scalars["hidden_alive/3"] == 0
    assert scalars["std_images/a_1/3"] == 0  # constants
    a_2 = backend.kept[1]["a_2/1"]
    expected = a_2.std(0, correction=0).square().mean().sqrt()
    assert scalars["std_images/a_2/1"] == pytest.approx(expected.item())


def test_sites_are_chosen_by_a_pattern(installed, runner):
    train(CoefficientHistogramHook(interval=1, sites="3"), runner, 1)
    assert {t.partition("/")[2] for t in runner.visualizer._vis_backends["own"].kept[1]} == {"3"}
    with pytest.raises(UserError, match="'2' matches none of the model's 2 DyReLU layers"):
        train(CoefficientHistogramHook(sites="2"), runner, 1)


def test_other_ranks_write_nothing(installed, runner):
    runner.rank = 1
    train(CoefficientHistogramHook(interval=1), runner, 1)
    assert not hasattr(runner.visualizer._vis_backends["own"], "kept")


@pytest.mark.parametrize("hook", [TensorboardHook, CoefficientHistogramHook])
def test_absent_tensorboard_is_one_sentence(monkeypatch, hook):
    monkeypatch.setattr("dyrelu_pose.engine.tensorboard.find_spec", lambda name: None)
    with pytest.raises(UserError, match=f"{hook.__name__} needs the package tensorboard"):
        hook()


def test_a_dead_unit_is_none_that_lives(installed, runner):
    runner.model = nn.Sequential(nn.Conv2d(3, 16, 1), DyReLUB(16, reduction=4))
    fc1 = runner.model[1].fc1  # 4 hidden units
    nn.init.zeros_(fc1.weight)
    fc1.bias.data = torch.tensor([1.0, -1.0, -1.0, 1.0])
    train(CoefficientHistogramHook(interval=1), runner, 1)
    assert runner.visualizer._vis_backends["own"].scalars[1]["hidden_alive/1"] == 0.5


def test_a_run_gets_a_backend_that_writes(runner, tmp_path):
    reason = "TensorBoard is optional: pip install tensorboard"
    pytest.importorskip("tensorboard", reason=reason)
    from mmengine.config import Config
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runner.visualizer._vis_backends.clear()
    runner.log_dir, runner.cfg = str(tmp_path), Config(dict(model={}))
    TensorboardHook().before_run(runner)
    train(CoefficientHistogramHook(interval=1, sites="1"), runner, 2)
    assert list(runner.visualizer._vis_backends) == ["TensorboardVisBackend"]
    tensorboard_of(runner).close()
    events = EventAccumulator(str(tmp_path / "vis_data"), size_guidance={"histograms": 0}).Reload()
    assert sorted(events.Tags()["histograms"]) == ["a_1/1", "a_2/1", "b_1/1", "b_2/1"]
    assert [event.step for event in events.Histograms("a_1/1")] == [1, 2]
