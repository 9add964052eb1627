"""Checkpoints of a real training resume under weights_only; anything else is refused by name."""

import fractions
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from urllib.error import HTTPError, URLError

import mmpose
import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn

from dyrelu_pose.compat import checkpoints
from dyrelu_pose.compat.checkpoints import CheckpointError, CheckpointNotFoundError
from dyrelu_pose.errors import UserError

STEPS = [
    {"type": "LinearLR", "begin": 0, "end": 3, "start_factor": 0.001, "by_epoch": False},
    {"type": "MultiStepLR", "begin": 0, "end": 9, "milestones": [1, 2], "by_epoch": True},
]
ONE_CYCLE = [{"type": "OneCycleLR", "eta_max": 0.1, "total_steps": 4, "by_epoch": True}]
EMA = {"type": "EMAHook", "momentum": 0.1}


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))

    def forward(self, inputs, mode="tensor"):
        output = self.net(torch.stack(inputs))
        return {"loss": output.square().mean()} if mode == "loss" else [output]


class Images(torch.utils.data.Dataset):
    # what a pose data set leaves in a checkpoint
    metainfo = {
        "dataset_name": "made up",
        "flip_indices": [0, 2, 1],
        "skeleton_links": [(0, 1)],
        "keypoint_colors": np.array([[51, 153, 255]], np.uint8),
        "sigmas": np.array([0.026, 0.025, 0.025], np.float32),
        "names": np.array(["nose", "left_eye"]),
        "flags": np.array([True, False]),
    }

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return {"inputs": torch.full((3, 4, 4), float(index))}


class Score(BaseMetric):
    default_prefix = "coco"

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {"AP": np.float64(0.5), "AR": np.float32(0.25)}


def runner(work_dir, max_epochs, schedule=STEPS, optimizer="AdamW", **more) -> Runner:
    loader = {"batch_size": 2, "sampler": {"type": "DefaultSampler"}, "dataset": Images()}
    saving = {"type": "CheckpointHook", "interval": 1, "save_best": "coco/AP", "rule": "greater"}
    return Runner(
        Model(),
        str(work_dir),
        train_dataloader=loader,
        train_cfg={"by_epoch": True, "max_epochs": max_epochs, "val_interval": 1},
        val_dataloader=loader,
        val_cfg={},
        val_evaluator=[Score()],
        optim_wrapper={"optimizer": {"type": optimizer, "lr": 0.1}},
        param_scheduler=schedule,
        default_hooks={"checkpoint": saving, "logger": {"type": "LoggerHook", "interval": 1}},
        experiment_name=f"{work_dir.name}_{max_epochs}",
        log_level="ERROR",
        **more,
    )


@pytest.fixture(scope="module", autouse=True)
def scope_of_the_process():
    """Takes back the default scope that a Runner leaves behind."""
    before = dict(DefaultScope._instance_dict)
    yield
    DefaultScope._instance_dict.clear()
    DefaultScope._instance_dict.update(before)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The checkpoint after one epoch."""
    work_dir = tmp_path_factory.mktemp("trained")
    runner(work_dir, 1, custom_hooks=[EMA]).train()
    return work_dir / "epoch_1.pth"


@pytest.fixture
def made(trained, tmp_path) -> Path:
    """A copy of it, to damage."""
    return Path(shutil.copy(trained, tmp_path / "made.pth"))


def test_resume_continues(made, tmp_path):
    resumed = runner(tmp_path, 2, custom_hooks=[EMA], load_from=str(made), resume=True)
    resumed.train()

    assert (resumed.epoch, resumed.iter) == (2, 4)
    assert len(resumed.message_hub.get_scalar("train/loss").data[0]) == 4
    assert resumed.message_hub.get_info("best_score") == 0.5
    state = resumed.optim_wrapper.state_dict()["state"]
    assert {int(entry["step"]) for entry in state.values()} == {4}


def test_one_cycle_resumes(tmp_path):
    # its state holds a function of its class
    runner(tmp_path, 1, ONE_CYCLE, "SGD").train()
    resumed = runner(tmp_path, 2, ONE_CYCLE, "SGD", resume=True)
    resumed.train()
    assert resumed.epoch == 2


def test_everything_comes_back(made):
    loaded = mmengine_checkpoint._load_checkpoint(str(made))
    assert {"state_dict", "optimizer", "message_hub", "ema_state_dict"} < set(loaded)
    meta = loaded["meta"]["dataset_meta"]
    for name, value in Images.metainfo.items():
        np.testing.assert_array_equal(meta[name], value)
        assert getattr(meta[name], "dtype", None) == getattr(value, "dtype", None)
    loss = loaded["message_hub"]["log_scalars"]["train/loss"]
    assert isinstance(loss, HistoryBuffer)
    assert loss.statistics("mean") == loss.mean()


DESCRIPTIONS = sorted((Path(mmpose.__file__).parent / ".mim/configs/_base_/datasets").glob("*.py"))


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: path.stem)
def test_what_mmpose_says_of_its_data_sets_loads(path, tmp_path):
    # it is in every checkpoint; without sigmas, as of hands and faces, they are an empty array
    meta = parse_pose_metainfo(dict(from_file=str(path)))
    torch.save({"meta": {"dataset_meta": meta}, "state_dict": {}}, tmp_path / "made.pth")
    made = mmengine_checkpoint._load_checkpoint(str(tmp_path / "made.pth"))
    loaded = made["meta"]["dataset_meta"]
    assert loaded.keys() == meta.keys()
    np.testing.assert_array_equal(loaded["sigmas"], meta["sigmas"])


def test_names_of_either_numpy_load(made):
    pickled = torch.serialization.get_unsafe_globals_in_checkpoint  # lists what is not allowed
    core = "numpy._core" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else "numpy.core"
    other = "numpy.core" if core == "numpy._core" else "numpy._core"
    with zipfile.ZipFile(made) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    old = made.with_name("other_numpy.pth")
    with zipfile.ZipFile(old, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            if name.endswith("data.pkl"):
                assert f"{core}.multiarray".encode() in content
                content = content.replace(f"{core}.".encode(), f"{other}.".encode())
            archive.writestr(name, content)
    assert pickled(str(old)) == []
    loaded = mmengine_checkpoint._load_checkpoint(str(old))
    assert loaded["meta"]["dataset_meta"]["sigmas"].tolist() == Images.metainfo["sigmas"].tolist()


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


FOREIGN = {
    "system": (lambda flag: Calls(os.mkdir, flag), "(posix|nt).mkdir"),
    "eval": (lambda flag: Calls(eval, f"__import__('os').mkdir({flag!r})"), "eval"),
    "class": (lambda flag: fractions.Fraction(1, 2), "fractions.Fraction"),
    "attribute": (lambda flag: Calls(getattr, HistoryBuffer, "__init__"), "getattr of '__init__'"),
    "other attribute": (lambda flag: Calls(getattr, np.ndarray, "tofile"), "getattr of 'tofile'"),
    "objects": (lambda flag: np.array([None, 1], object), "Object|object_"),
}


@pytest.mark.parametrize(("make", "name"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_pickle_is_refused(tmp_path, make, name):
    flag, file = tmp_path / "flag", tmp_path / "foreign.pth"
    torch.save({"state_dict": {}, "meta": make(str(flag))}, file)
    refused = f"foreign.pth is refused: it asks for .*({name})"
    with pytest.raises(CheckpointError, match=refused) as error:
        load_checkpoint(Model(), str(file))
    assert not flag.exists()
    assert "weights_only" not in str(error.value)


DAMAGE = {
    "truncated": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-100],
    "overwritten": lambda content: content[:200] + bytes(400) + content[600:],
    "empty": lambda content: b"",
    "a page": lambda content: b"<html><body>404 Not Found</body></html>",
    "a pointer": lambda content: b"version https://git-lfs.github.com/spec/v1\nsize 9\n",
    "zeros": lambda content: bytes(1000),
    "a pickle": lambda content: pickle.dumps({"state_dict": {}}, protocol=4),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_file_is_named(made, damage):
    made.write_bytes(damage(made.read_bytes()))
    with pytest.raises(CheckpointError, match="made.pth cannot be read") as error:
        load_checkpoint(Model(), str(made))
    assert "\n" not in str(error.value)
    assert "weights_only" not in str(error.value)
    assert error.value.__cause__ is None  # no zipfile traceback above it
    assert error.value.__suppress_context__


def test_file_without_state_dict_is_named(tmp_path):
    torch.save(torch.zeros(2), tmp_path / "tensor.pth")
    with pytest.raises(CheckpointError, match="tensor.pth holds a Tensor, not a state dict"):
        load_checkpoint(Model(), str(tmp_path / "tensor.pth"))


@pytest.mark.parametrize("state", [None, [1], {0: torch.zeros(2)}])
def test_a_state_dict_without_names_is_named(tmp_path, state):
    torch.save({"state_dict": state}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="odd.pth holds no state dict"):
        load_checkpoint(Model(), str(tmp_path / "odd.pth"))


def test_a_folder_is_named(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match=f"{tmp_path} is a folder"):
        load_checkpoint(Model(), str(tmp_path))


def test_a_package_that_is_missing_is_named(made, monkeypatch):
    def load(*args, **kwargs):
        raise RuntimeError("safetensors is not installed. Please install it")

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(CheckpointError, match="made.pth cannot be read: safetensors .*it$"):
        load_checkpoint(Model(), str(made))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointNotFoundError, match="nowhere.pth does not exist"):
        load_checkpoint(Model(), str(tmp_path / "nowhere.pth"))
    # what MMEngine raised, and what the tools print in one line
    assert issubclass(CheckpointNotFoundError, FileNotFoundError)
    assert issubclass(CheckpointNotFoundError, UserError)


def test_resume_of_a_damaged_file_stops(made, tmp_path):
    made.write_bytes(b"")
    with pytest.raises(CheckpointError, match="made.pth cannot be read"):
        runner(tmp_path, 2, custom_hooks=[EMA], load_from=str(made), resume=True).train()


def test_pretrained_weights_of_a_module(made):
    model = Model()
    model.init_cfg = {"type": "Pretrained", "checkpoint": str(made)}
    model.init_weights()
    weights = mmengine_checkpoint._load_checkpoint(str(made))["state_dict"]
    assert torch.equal(model.net[0].weight, weights["net.0.weight"])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (URLError("no route"), r"downloaded \(no route\): check the address .* give the file$"),
        (HTTPError("https://host/model.pth", 404, "Not Found", {}, None), r"downloaded \(Not Fou"),
        (TimeoutError("timed out"), r"downloaded \(timed out\): "),
        (RuntimeError("invalid hash value"), r"read \(invalid hash value\)"),
    ],
    ids=repr,
)
def test_downloads_are_guarded(monkeypatch, error, message):
    def load_url(*args, **kwargs):
        raise error

    monkeypatch.setattr(mmengine_checkpoint, "load_url", load_url)
    with pytest.raises(CheckpointError, match=f"https://host/model.pth cannot be {message}"):
        load_checkpoint(Model(), "https://host/model.pth")


@pytest.mark.parametrize("zoo", ["open-mmlab", "mmcls"])
def test_a_model_that_no_zoo_has_is_named(zoo):
    with pytest.raises(
        CheckpointError, match=f"{zoo}://resnet7: there is no model 'resnet7' there"
    ):
        load_checkpoint(Model(), f"{zoo}://resnet7")


def test_apply_again_changes_nothing(made):
    before = set(torch.serialization.get_safe_globals())
    checkpoints.apply()
    assert set(torch.serialization.get_safe_globals()) == before
    load_checkpoint(Model(), str(made))
