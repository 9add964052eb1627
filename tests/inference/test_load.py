"""Weights go into their own model only, since what does not fit would predict nonsense."""

import re

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from dyrelu_pose.errors import UserError
from dyrelu_pose.inference.load import load_trained
from tests.scripts import DEMO

RELU = "configs/demo/resnet18.py"


def load(config, checkpoint, device="cpu"):
    return load_trained(Config.fromfile(config), checkpoint, device)


def test_dyrelu_weights_do_not_go_into_a_relu_model(checkpoint):
    message = f"does not fit the model of .*{RELU}: backbone 100 of 100, .* loaded; unexpected key"
    with pytest.raises(UserError, match=message):
        load(RELU, checkpoint)


def test_relu_weights_make_the_same_backbone_of_dyrelu(tmp_path):
    relu, path = MODELS.build(Config.fromfile(RELU).model), tmp_path / "relu.pth"
    torch.save(dict(state_dict=relu.state_dict()), path)
    model = load(DEMO, path)
    picture = torch.randn(1, 3, 64, 64)
    ours, theirs = (m.eval().extract_feat(picture) for m in (model, relu))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_missing_or_misshapen_tensor_is_named(checkpoint, tmp_path):
    weights = torch.load(checkpoint)["state_dict"]
    weights["backbone.conv1.weight"] = torch.zeros(1)
    path = tmp_path / "damaged.pth"
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(UserError, match=r"for backbone.conv1.weight: .*32, 3, 7, 7\]\); take the"):
        load(DEMO, path)
    del weights["backbone.conv1.weight"]
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(UserError, match="missing keys.*backbone.conv1.weight"):
        load(DEMO, path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_weights_of_a_training_that_diverged_are_named(checkpoint, tmp_path, value):
    weights = torch.load(checkpoint)["state_dict"]
    weights["backbone.bn1.running_var"][3] = value
    path = tmp_path / "diverged.pth"
    torch.save(dict(state_dict=weights), path)
    with pytest.raises(UserError, match=r"diverged.pth: backbone.bn1.running_var .* not finite"):
        load(DEMO, path)


def under(prefix):
    return lambda weights: {prefix + name: tensor for name, tensor in weights.items()}


OTHER_FORMS = {
    "net.": (lambda w: dict(state_dict=under("net.")(w)), r"\['state_dict'\] behind 'net\.' fit"),
    "model.": (under("model."), r"tensors behind 'model\.' fit"),
    "ema_": (lambda w: dict(state_dict=under("ema_")(w)), "behind 'ema_' fit"),
    "model=": (lambda w: dict(model=w, epoch=3), r"in \['model'\] fit"),
    "model_ema=": (
        lambda w: dict(model_ema=under("module.")(w)),
        r"in \['model_ema'\] behind 'mod",
    ),
    "nested": (lambda w: dict(a=dict(b=w)), r"in \['a'\]\['b'\] fit"),
}


@pytest.mark.parametrize(("form", "found"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_weights_of_other_names_are_found_and_what_to_do_works(checkpoint, tmp_path, form, found):
    weights, path = torch.load(checkpoint)["state_dict"], tmp_path / "other.pth"
    torch.save(form(weights), path)
    message = rf"other\.pth .*: backbone 0 of \d+, head 0 of \d+ tensors loaded; .*{found}"
    with pytest.raises(UserError, match=message) as error:
        load(DEMO, path)
    call = re.search(r"torch\.save\(.*, \.\.\.\)", str(error.value))[0]
    eval(call.replace("load(...)", f"load({str(path)!r})").replace("...", repr(str(path))))
    load(DEMO, path)


def test_weights_of_the_backbone_alone_are_called_that(checkpoint, tmp_path):
    weights, path = torch.load(checkpoint)["state_dict"], tmp_path / "backbone.pth"
    backbone = {
        name.removeprefix("backbone."): tensor
        for name, tensor in weights.items()
        if name.startswith("backbone.")
    }
    torch.save(dict(state_dict=backbone), path)
    with pytest.raises(UserError, match=r"fit the backbone alone: .*model\.backbone\.init_cfg"):
        load(DEMO, path)


def test_ddp_names_load(checkpoint, tmp_path):
    weights, path = torch.load(checkpoint)["state_dict"], tmp_path / "ddp.pth"
    torch.save(dict(state_dict=under("module.")(weights)), path)
    load(DEMO, path)


def test_a_device_that_is_not_there_is_named(checkpoint):
    with pytest.raises(UserError, match="device cuda:99 cannot be used"):
        load(DEMO, checkpoint, "cuda:99")
