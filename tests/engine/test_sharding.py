"""Weights that two processes share out, over gloo."""

import pytest
from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from dyrelu_pose.engine import FSDPStrategy
from dyrelu_pose.errors import UserError
from dyrelu_pose.paths import ROOT
from tests.scripts import run

pytestmark = pytest.mark.long


@pytest.fixture
def config(tmp_path, people):
    """A training of one epoch of the demo's model, on two drawn people."""
    cfg = Config.fromfile(ROOT / "configs/demo/dyrelu_resnet18.py")
    wrapper = dict(type="MMFullyShardedDataParallel", use_orig_params=True)
    strategy = dict(type="FSDPStrategy", model_wrapper=wrapper)
    cfg.merge_from_dict(dict(runner_type="FlexibleRunner", strategy=strategy))
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False, batch_size=1)
    loader.dataset.data_root = f"{people}/"
    cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=1)
    cfg.work_dir = str(tmp_path / "work")
    path = tmp_path / "config.py"
    cfg.dump(path)
    return path


def train(config, *arguments, launch=("-m", "torch.distributed.run", "--standalone",
                                      "--nproc_per_node=2"), options=(), expect=0):  # fmt: skip
    flags = ["--launcher", "pytorch"] if launch else []
    return run(
        *launch, "tools/train.py", config, "--no-validate", *flags, *arguments,
        "--cfg-options", "train_cfg.max_epochs=1", *options, expect=expect,
    )  # fmt: skip


def test_training_saves_whole_checkpoints_and_resumes(config, tmp_path):
    first = train(config)
    again = train(config, "--resume", options=["train_cfg.max_epochs=2"])
    assert "resumed epoch: 1" in again
    assert "22 DyReLU layers learn at 4 / fan-in" in first
    one, two = (
        CheckpointLoader.load_checkpoint(str(tmp_path / f"work/epoch_{epoch}.pth"))
        for epoch in (1, 2)
    )
    assert one["state_dict"].keys() == two["state_dict"].keys()
    for name, value in one["optimizer"]["state"].items():
        assert value["exp_avg"].shape == one["state_dict"][name].shape
        assert two["optimizer"]["state"][name]["step"] > value["step"] > 0
    assert "base_param_settings" in two["optimizer"]


def test_a_loss_that_is_not_finite_stops_every_process(config):
    diverging = ["optim_wrapper.optimizer.lr=1e30", "train_cfg.max_epochs=9"]
    printed = train(config, options=diverging, expect=1)
    message = "is nan: no process has all weights to look for the site: train by fewer, without"
    assert printed.count(message) == 2


def test_a_single_process_is_refused(config):
    printed = train(config, launch=(), expect=1)
    assert "FSDPStrategy') shares the weights out among processes" in printed
    assert "Traceback" not in printed


def test_sharing_layers_out_one_by_one_is_refused():
    with pytest.raises(UserError, match="auto_wrap_policy would share out layers one by one"):
        FSDPStrategy(model_wrapper=dict(auto_wrap_policy="any"))


def test_checkpoints_in_parts_are_refused():
    with pytest.raises(UserError, match="state_dict_cfg='local' would save a folder of parts"):
        FSDPStrategy(state_dict_cfg="local")
