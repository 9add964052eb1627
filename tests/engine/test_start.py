"""A training starts from weights of which something fits, and goes on with its own model only."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from dyrelu_pose.compat.fit import Misfit
from dyrelu_pose.engine.start import ResumeError, ScheduleError
from dyrelu_pose.layers import DyReLUB
from dyrelu_pose.placement.warm_start import install_fresh_start_report

from .conftest import Toy, log_of


class Parts(Toy):
    """A model of a backbone with an activation, and of a head."""

    def __init__(self, width=8, points=1, act=nn.ReLU):
        super().__init__()
        del self.layers
        self.backbone = nn.Sequential(nn.Linear(8, width), act())
        self.head = nn.Linear(width, points)

    def layers(self, inputs):
        return self.head(self.backbone(inputs))


def dynamic(reduction=4):
    """Return `Parts` with DyReLU-B in place of ReLU."""
    model = Parts(act=lambda: DyReLUB(channels=8, reduction=reduction))
    install_fresh_start_report(model, ["backbone.1"])
    return model


@pytest.fixture
def trained(toy):
    """Return a function that trains a model and returns its last checkpoint."""

    def train(model=Parts, **options):
        runner = toy("trained", model=model, **options)
        runner.train()
        return Path(runner.work_dir, "epoch_3.pth")

    return train


@pytest.mark.parametrize("part", ["optimizer", "message_hub", "meta", "epoch", None])
def test_weights_are_not_resumed(toy, trained, part):
    path = trained()
    checkpoint = torch.load(path)
    if part is None:
        checkpoint = checkpoint["state_dict"]
    else:
        del (checkpoint["meta"] if part == "epoch" else checkpoint)[part]
    torch.save(checkpoint, path)
    message = rf"{path.name} is not one that .*: it has no .*{part or 'optimizer'}.*as load_from"
    with pytest.raises(ResumeError, match=message):
        toy(model=Parts, load_from=str(path), resume=True).train()


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("meta", dict(epoch="one", iter=3), "has no meta.epoch"),
        ("optimizer", {}, "is of several optimizers, or of none, and optim_wrapper makes one"),
        ("optimizer", dict(a=dict(param_groups=[])), "is of several optimizers, or of none"),
    ],
)
def test_parts_that_are_none_of_a_training_are_named(toy, trained, part, value, reason):
    path = trained()
    torch.save({**torch.load(path), part: value}, path)
    with pytest.raises(ResumeError, match=f"{path.name} .*{reason}.*as load_from"):
        toy(model=Parts, load_from=str(path), resume=True).train()


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ("SGD", "Adam", "with dampening and momentum and nesterov, not amsgrad and betas"),
        ("AdamW", "Adam", "with decoupled_weight_decay, not less"),
        ("Adamax", "Adam", "with less, not amsgrad"),
    ],
)
def test_another_optimizer_is_named(toy, trained, before, now, reason):
    path = trained(optim=before)
    message = f"{path.name} is of another optimizer, {reason}.*optim_wrapper.*as load_from"
    with pytest.raises(ResumeError, match=message):
        toy(model=Parts, optim=now, load_from=str(path), resume=True).train()


def test_other_groups_of_parameters_are_named(toy, trained):
    path = trained()
    options = dict(model=Parts, load_from=str(path), resume=True)
    with pytest.raises(ResumeError, match="optimizer of 1 groups of parameters, not of the 4 "):
        toy(paramwise=dict(custom_keys={"head": dict(lr_mult=0.5)}), **options).train()


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (
            Parts,
            lambda: Parts(width=6),
            "backbone 0 of 2, head 1 of 2 tensors loaded; size mismatch",
        ),
        (dynamic, lambda: dynamic(2), r"backbone 3 of 6, .*size mismatch for backbone\.1\.fc1"),
        (Parts, dynamic, r"backbone 2 of 6, .*missing keys: backbone\.1\.fc1\.weight"),
        (dynamic, Parts, r"backbone 2 of 2, .*unexpected key .*backbone\.1\.fc1\.weight"),
    ],
    ids=["width", "reduction", "from the ReLU twin", "to the ReLU twin"],
)
def test_another_model_is_named(toy, trained, before, now, reason):
    path = trained(before)
    message = f"{path.name} is of another model .*{reason}.*as load_from"
    with pytest.raises(ResumeError, match=message):
        toy(model=now, load_from=str(path), resume=True).train()


@pytest.mark.parametrize("ema", [False, True])
def test_a_training_goes_on(toy, trained, ema):
    hooks = [dict(type="EMAHook")] if ema else []
    path = trained(dynamic, hooks=hooks)
    torch.save({**torch.load(path), "meta": {**torch.load(path)["meta"], "epoch": 2}}, path)
    toy(model=dynamic, hooks=hooks, load_from=str(path), resume=True).train()


def test_fine_tuning_says_what_came(toy, trained):
    path = trained()
    runner = toy(model=lambda: Parts(points=3), load_from=str(path))
    runner.train()
    assert re.search(
        rf"load_from={path}: backbone 2 of 2, head 0 of 2 tensors loaded", log_of(runner)
    )


def test_relu_weights_start_a_dyrelu_model(toy, trained):
    runner = toy(model=dynamic, load_from=str(trained()))
    runner.train()
    assert "4 tensors of 1 site (DyReLUB) are not in the checkpoint" in log_of(runner)
    assert "backbone 2 of 6, head 2 of 2 tensors loaded" in log_of(runner)


def prefixed(weights):
    return {f"net.{name}": tensor for name, tensor in weights.items()}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (prefixed, r"4 of its tensors in \['state_dict'\] behind 'net\.' fit: write them"),
        (lambda weights: {n[9:]: t for n, t in weights.items() if n[0] == "b"}, "backbone alone"),
        (lambda weights: dict(weights, **{"backbone.0.weight": torch.zeros(1),
                                          "backbone.0.bias": torch.zeros(1)}), "another model"),
    ],
    ids=["prefix", "backbone", "width"],
)  # fmt: skip
def test_weights_of_which_none_fits_are_refused(toy, trained, change, advice):
    path = trained()
    torch.save(dict(state_dict=change(torch.load(path)["state_dict"])), path)
    message = rf"load_from={path} does not fit the model: backbone 0 of 2, .*{advice}"
    runner = toy(model=Parts, load_from=str(path))
    with pytest.raises(Misfit, match=message):
        runner.train()
    assert not list(Path(runner.work_dir).glob("*.pth"))


def one_cycle(**options):
    return dict(type="OneCycleLR", eta_max=0.01, **options)


@pytest.mark.parametrize(
    "schedule",
    [
        one_cycle(total_steps=18, by_epoch=False),
        one_cycle(total_steps=8, end=8, by_epoch=False),
        one_cycle(total_steps=3, convert_to_iter_based=True),
    ],
    ids=["iterations", "to an end", "epochs"],
)
def test_one_cycle_that_lasts_as_long_as_the_training(toy, schedule):
    toy(param_scheduler=schedule).train()


@pytest.mark.parametrize(
    "schedule",
    [one_cycle(total_steps=17, by_epoch=False), one_cycle(total_steps=6, begin=8, by_epoch=False)],
    ids=["one too few", "behind a begin"],
)
def test_one_cycle_that_ends_before_the_training_is_refused(toy, schedule):
    runner = toy(param_scheduler=[schedule])
    steps, iterations = schedule["total_steps"], 18 - schedule.get("begin", 0)
    message = rf"param_scheduler\.0 of .* total_steps={steps}, and the training has {iterations} it"
    with pytest.raises(ScheduleError, match=message):
        runner.train()
    assert runner.iter == 0
