"""A ReLU checkpoint loads with one line in the log; any other gap is still reported."""

import copy
import logging
import pickle

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import ExponentialMovingAverage
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict
from torch import nn

from dyrelu_pose.placement import place

B = dict(type="DyReLUB")
RULES = [dict(sites="backbone.*", act=B), dict(sites="head.*", act=dict(type="DyReLUC"))]
HEAD = dict(deconv_out_channels=(16,), deconv_kernel_sizes=(4,))
LINE = "73 tensors of 18 sites (DyReLUB, DyReLUC) are not in the checkpoint"  # 17 * 4 + 5


class Wrapper(nn.Module):
    """Has the model as a child called module, as DDP and FSDP have."""

    def __init__(self, module):
        super().__init__()
        self.module = module


@pytest.fixture
def log(request):
    """Messages of the current MMEngine logger, at INFO and above."""
    messages = []
    logger = MMLogger.get_instance(request.node.name)
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger.addHandler(handler)
    return messages


@pytest.fixture
def relu_state(build):
    return build("resnet18", head=HEAD).state_dict()


@pytest.fixture
def model(build, input_size):
    model = build("resnet18", head=HEAD)
    place(model, RULES, input_size)
    return model


def test_relu_checkpoint_logs_one_line(model, relu_state, log, tmp_path):
    torch.save(dict(state_dict=relu_state), tmp_path / "relu.pth")
    load_checkpoint(model, str(tmp_path / "relu.pth"), map_location="cpu", logger="current")
    assert [line for line in log if "checkpoint" in line and "Loads" not in line] == [
        f"{LINE} and keep their start values"
    ]


def test_full_checkpoint_logs_nothing(model, log):
    load_state_dict(model, model.state_dict(), strict=True, logger="current")
    model.load_state_dict(model.state_dict(), strict=True)
    assert log == []


def test_strict_load_accepts_a_relu_checkpoint(model, relu_state, log):
    """Decided: it determines the model, and a hook is not told whether the load is strict."""
    model.load_state_dict(relu_state, strict=True)
    load_state_dict(model, relu_state, strict=True, logger="current")
    assert [line.startswith(LINE) for line in log] == [True, True]


def test_other_missing_keys_are_still_reported(model, relu_state, log):
    del relu_state["backbone.conv1.weight"]
    load_state_dict(model, relu_state, logger="current")
    assert log[0].startswith(LINE)
    assert "missing keys in source state_dict: backbone.conv1.weight\n" in log[1]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "backbone.conv1.wei'):
        model.load_state_dict(relu_state, strict=True)


def test_partly_missing_layers_are_still_reported(model, log):
    state = model.state_dict()
    del state["backbone.relu.fc1.weight"]
    load_state_dict(model, state, logger="current")
    (message,) = log
    assert "missing keys in source state_dict: backbone.relu.fc1.weight\n" in message


def test_backbone_with_weights_of_its_own(build, input_size, relu_state, log, tmp_path):
    """`init_cfg` loads into the backbone alone: neither the model nor its head takes part."""
    prefix = "backbone."
    weights = {k.removeprefix(prefix): v for k, v in relu_state.items() if k.startswith(prefix)}
    torch.save(weights, tmp_path / "backbone.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "backbone.pth"))
    model = build("resnet18", head=HEAD, init_cfg=init_cfg)
    place(model, RULES, input_size)
    model.backbone.init_weights()
    lines = [line for line in log if "tensors of" in line]
    assert [line.startswith("68 tensors of 17 sites (DyReLUB)") for line in lines] == [True]
    assert not any("missing keys" in line for line in log)
    assert torch.equal(model.backbone.conv1.weight, relu_state["backbone.conv1.weight"])


@pytest.mark.parametrize(
    "change",
    [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))],
    ids=["deepcopy", "pickle"],
)
def test_report_survives_copies(model, relu_state, log, change):
    load_state_dict(change(model), relu_state, strict=True, logger="current")
    assert [line.startswith(LINE) for line in log] == [True]


def test_report_survives_ema_and_wrappers(model, relu_state, log):
    load_state_dict(ExponentialMovingAverage(model).module, relu_state, logger="current")
    wrapped = {f"module.{key}": value for key, value in relu_state.items()}
    Wrapper(copy.deepcopy(model)).load_state_dict(wrapped, strict=True)
    assert [line.startswith(LINE) for line in log] == [True, True]


def test_placed_prelu_is_counted_too(build, relu_state, input_size, log):
    model = build("resnet18", head=HEAD)
    place(model, [dict(sites="backbone.*", act=dict(type="PReLU"))], input_size)
    model.load_state_dict(relu_state, strict=True)
    assert log[0].startswith("17 tensors of 17 sites (PReLU) are not in the checkpoint")


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (dict(type="DyReLUC"), LINE),
        (dict(type="DyReLUB", reduction=4), "72 tensors of 18 sites (DyReLUB) are not in"),
        (dict(type="PReLU"), "69 tensors of 18 sites (DyReLUB, PReLU) are not in"),
        (dict(type="SiLU"), "68 tensors of 17 sites (DyReLUB) are not in"),
    ],
    ids=["more keys", "the same keys", "other keys", "no keys"],
)
def test_layers_that_replaced_placed_ones_count_in_their_stead(
    build, input_size, relu_state, log, act, line
):
    model = build("resnet18", head=HEAD)
    place(model, [dict(sites="*", act=B)], input_size)
    place(model, [dict(sites="head.*", act=act)], input_size)
    model.load_state_dict(relu_state, strict=True)
    head = {k.removeprefix("head."): v for k, v in relu_state.items() if k.startswith("head.")}
    model.head.load_state_dict(head, strict=True)
    assert log[0].startswith(line)
    assert len(log) == (1 if act["type"] == "SiLU" else 2)  # the head's own line


def test_all_layers_replaced_by_ones_without_parameters(build, input_size, relu_state, log):
    model = build("resnet18", head=HEAD)
    for act in (B, dict(type="SiLU")):
        place(model, [dict(sites="*", act=act)], input_size)
    model.load_state_dict(relu_state, strict=True)
    assert log == []
