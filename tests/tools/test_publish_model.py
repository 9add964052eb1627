"""Published weights are those of the checkpoint, alone, and a model takes them."""

import hashlib

import numpy as np
import pytest
import torch

from dyrelu_pose.errors import UserError
from dyrelu_pose.records.files import DiskFullError
from tests import scripts


def publish(*arguments, **kwargs):
    return scripts.run("tools/publish_model.py", *arguments, **kwargs)


def checkpoint(tmp_path, model):
    path = tmp_path / "epoch_1.pth"
    optimizer = torch.optim.AdamW(model.parameters())
    content = dict(
        state_dict=model.state_dict(), optimizer=optimizer.state_dict(), meta=dict(best=np.ones(1))
    )
    torch.save(content, path)
    return path


def test_half_precision_weights_go_back_into_a_model(tmp_path):
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    out = tmp_path / "new/weights.pth"
    printed = publish(checkpoint(tmp_path, model), out, "--half")
    assert hashlib.sha256(out.read_bytes()).hexdigest() in printed
    content = torch.load(out)
    assert content.keys() == {"state_dict"}
    assert content["state_dict"]["0.weight"].dtype == torch.float16
    assert content["state_dict"]["1.num_batches_tracked"].dtype == torch.int64
    twin = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    twin.load_state_dict(content["state_dict"])
    assert twin[0].weight.dtype == torch.float32
    torch.testing.assert_close(twin[0].weight, model[0].weight, rtol=1e-3, atol=1e-6)


def test_a_checkpoint_is_not_replaced_by_its_weights(tmp_path):
    path = checkpoint(tmp_path, torch.nn.Linear(2, 2))
    before = path.read_bytes()
    printed = publish(path, tmp_path / "." / path.name, expect=1)
    assert f"error: {path} is the checkpoint itself" in printed
    assert path.read_bytes() == before


def test_without_half_they_are_the_same(tmp_path):
    model = torch.nn.Linear(2, 2)
    publish(checkpoint(tmp_path, model), tmp_path / "weights.pth")
    weights = torch.load(tmp_path / "weights.pth")["state_dict"]
    assert torch.equal(weights["weight"], model.weight)


def test_refuses_what_float16_cannot_hold(tmp_path):
    model = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(model.weight, 1e6)
    error = publish(checkpoint(tmp_path, model), tmp_path / "x.pth", "--half", expect=1)
    assert "error: weight has values beyond 65504" in error
    assert not (tmp_path / "x.pth").exists()


TENSOR = torch.ones(2)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (dict(model=dict(w=TENSOR), epoch=1), "model is of type dict, not a tensor"),
        (dict(w=TENSOR, epoch=1), "epoch is of type int, not a tensor"),
        (dict(state_dict=dict(w=TENSOR)), "state_dict is of type dict, not a tensor"),
        ({}, "holds no weights"),
        (dict(v=TENSOR, w=TENSOR * float("nan")), "w has values that are not finite"),
    ],
)
def test_what_is_no_model_is_not_published(weights, message):
    check = scripts.load("tools/publish_model.py").check_weights
    with pytest.raises(UserError, match=f"checkpoint a.pth.*{message}"):
        check(weights, "a.pth")


def test_nothing_is_written_of_what_is_no_model(tmp_path):
    torch.save(dict(model=dict(w=TENSOR), epoch=1), tmp_path / "epoch_1.pth")
    error = publish(tmp_path / "epoch_1.pth", tmp_path / "x.pth", expect=1)
    assert f"error: checkpoint {tmp_path / 'epoch_1.pth'} is no state dict" in error
    assert not (tmp_path / "x.pth").exists()


def test_names_a_missing_checkpoint(tmp_path):
    assert "none.pth" in publish(tmp_path / "none.pth", tmp_path / "x.pth", expect=1)


def test_a_file_stays_whole_if_its_successor_cannot_be_written(tmp_path, monkeypatch):
    tool = scripts.load("tools/publish_model.py")
    source = checkpoint(tmp_path, torch.nn.Linear(2, 2))
    out = tmp_path / "x.pth"
    out.write_bytes(b"old")

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(out), "write_bytes", full)  # torch would say "unexpected pos"
    with pytest.raises(DiskFullError, match=f"the disk is full: {out} needs 0.0 MB"):
        tool.main([str(source), str(out)])
    assert out.read_bytes() == b"old"
