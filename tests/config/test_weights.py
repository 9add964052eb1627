"""What a training starts from is judged before it writes anything."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger, print_log
from mmengine.optim import build_optim_wrapper
from mmpose.registry import MODELS

from dyrelu_pose.compat.fit import Misfit
from dyrelu_pose.config.errors import ConfigError, named_parts
from dyrelu_pose.config.weights import check_weights
from dyrelu_pose.engine.start import ResumeError

SMALL = {
    "model.backbone.stem_channels": 8,
    "model.backbone.base_channels": 8,
    "model.head.in_channels": 64,
    "model.head.stages": ((8,), (8,), (8,)),
}


def small():
    cfg = Config.fromfile("configs/demo/dyrelu_resnet18.py")
    cfg.merge_from_dict(copy.deepcopy(SMALL))
    return cfg


@pytest.fixture(scope="module")
def trained():
    """What a training of the small config writes."""
    cfg = small()
    model = MODELS.build(copy.deepcopy(cfg.model))
    optim = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    return dict(
        meta=dict(epoch=1, iter=3),
        state_dict=model.state_dict(),
        optimizer=optim.state_dict(),
        message_hub={},
    )


@pytest.fixture
def cfg(tmp_path):
    cfg = small()
    cfg.work_dir = str(tmp_path / "work")
    return cfg


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a checkpoint and returns its path."""

    def write(content):
        torch.save(content, tmp_path / "some.pth")
        return str(tmp_path / "some.pth")

    return write


def part(trained, name):
    """Return the tensors of a part of the model, under its own names."""
    start = f"{name}."
    state = trained["state_dict"]
    return {key[len(start) :]: state[key] for key in state if key.startswith(start)}


def test_a_training_without_weights_reads_none(cfg):
    check_weights(cfg)
    cfg.resume = True  # and there is nothing yet
    check_weights(cfg)


def test_weights_that_fit_pass_without_a_word(cfg, trained, file, capfd):
    MMLogger.get_instance("weights")
    print_log("said", "current")  # since then the logger knows that it may speak
    assert "said" in capfd.readouterr().out
    path = file(part(trained, "backbone"))
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=path)
    check_weights(cfg)
    cfg.load_from = file(trained)
    cfg.model.backbone.init_cfg.prefix = "backbone"
    check_weights(cfg)
    cfg.resume = True
    check_weights(cfg)
    assert capfd.readouterr() == ("", "")


def test_the_latest_checkpoint_of_the_work_directory_is_judged(cfg, trained, tmp_path):
    (tmp_path / "work").mkdir()
    torch.save({**trained, "optimizer": {}}, tmp_path / "work/epoch_1.pth")
    (tmp_path / "work/last_checkpoint").write_text(str(tmp_path / "work/epoch_1.pth"))
    cfg.resume = True
    with pytest.raises(ResumeError, match="epoch_1.pth is of several optimizers"):
        check_weights(cfg)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ({"optim_wrapper.optimizer.type": "SGD"}, "of another optimizer"),
        ({"optim_wrapper.constructor": "DefaultOptimWrapperConstructor"}, "groups of parameters"),
        ({"model.dyrelu.0.act.reduction": 4}, "of another model"),
    ],
)
def test_what_is_resumed_by_another_config_is_refused(cfg, trained, file, option, reason):
    cfg.merge_from_dict({**option, "load_from": file(trained), "resume": True})
    with pytest.raises(ResumeError, match=reason):
        check_weights(cfg)


def test_nothing_of_the_backbone_is_refused(cfg, trained, file):
    cfg.load_from = file(part(trained, "backbone"))
    with pytest.raises(Misfit, match="load_from=.* backbone 0 of .* the backbone alone"):
        check_weights(cfg)
    cfg.runner_type = "FlexibleRunner"  # whose checkpoints are its own
    check_weights(cfg)


@pytest.mark.parametrize(
    ("content", "prefix", "advice"),
    [
        (lambda trained: trained, {}, r"fit: set model\.backbone\.init_cfg\.prefix='backbone\.'"),
        (lambda trained: trained, dict(prefix="net"), r"init_cfg\.prefix='backbone\.'"),
        (lambda trained: part(trained, "backbone"), dict(prefix="backbone"), "prefix out"),
        (lambda trained: dict(model=trained["state_dict"]), {}, r"in \['model'\] .* write them"),
        (lambda trained: dict(a=torch.zeros(3)), {}, "leave it out to start without weights"),
    ],
)
def test_nothing_of_pretrained_weights_is_refused(cfg, trained, file, content, prefix, advice):
    path = file(content(trained))
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=path, **prefix)
    with pytest.raises(Misfit, match=rf"model\.backbone\.init_cfg: nothing of .*{advice}"):
        check_weights(cfg)


def test_a_misspelt_key_of_pretrained_weights_is_named(cfg, trained, file):
    cfg.model.backbone.init_cfg = dict(type="Pretrained", checkpoint=file(trained), prefx="a")
    with (
        pytest.raises(ConfigError, match=r"model\.backbone\.init_cfg of the config cannot be bui"),
        named_parts(cfg),
    ):
        check_weights(cfg)
