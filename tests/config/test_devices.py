"""A training that asks for a GPU is refused on a machine without one."""

import pytest
import torch
from mmengine.config import Config

from dyrelu_pose.config import devices
from dyrelu_pose.config.devices import check_devices
from dyrelu_pose.errors import UserError

SYNCHRONISED = {
    "sync_bn": dict(sync_bn="torch"),
    "model.use_syncbn": dict(model=dict(use_syncbn=True)),
    "model.neck.1.norm_cfg": dict(model=dict(neck=[{}, dict(norm_cfg=dict(type="SyncBN"))])),
}
NO_OPTIONS = dict(optim_wrapper=dict(type="OptimWrapper"))


@pytest.mark.parametrize(("key", "options"), SYNCHRONISED.items(), ids=SYNCHRONISED)
def test_synchronised_norms_are_refused_on_cpus(key, options, monkeypatch):
    monkeypatch.setattr(devices, "get_device", lambda: "cpu")
    options = NO_OPTIONS | options
    with pytest.raises(UserError, match=f"^{key} asks for SyncBatchNorm, which PyTorch trains on"):
        check_devices(Config(dict(launcher="pytorch", **options)))
    check_devices(Config(dict(launcher="none", **options)))  # a single process trains with them
    monkeypatch.setattr(devices, "get_device", lambda: "npu")
    check_devices(Config(dict(launcher="pytorch", **options)))


def test_other_norms_are_not_refused(monkeypatch):
    monkeypatch.setattr(devices, "get_device", lambda: "cpu")
    options = NO_OPTIONS | dict(sync_bn=None, model=dict(use_syncbn=False))
    check_devices(Config(dict(launcher="pytorch", **options)))


def test_mixed_precision_is_refused_on_cpus(monkeypatch):
    cfg = Config(dict(launcher="none", optim_wrapper=dict(type="AmpOptimWrapper")))
    monkeypatch.setattr(devices, "get_device", lambda: "cuda")
    check_devices(cfg)
    monkeypatch.setattr(devices, "get_device", lambda: "cpu")
    with pytest.raises(UserError, match=r"AmpOptimWrapper \(--amp\), which .* leave it out"):
        check_devices(cfg)


def test_replayed_steps_are_refused_without_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    cfg = Config(dict(launcher="none", custom_hooks=[dict(type="CudaGraphHook")], **NO_OPTIONS))
    with pytest.raises(UserError, match="replays steps on a CUDA GPU"):
        check_devices(cfg)
