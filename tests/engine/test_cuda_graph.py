"""A training from graphs is the eager one, bit by bit; what cannot be captured is refused.

Without a GPU operations are recorded and run again (recorded.py); the last test needs one.
"""

import re
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch.utils.data import DataLoader

from dyrelu_pose.engine import CudaGraphHook
from dyrelu_pose.engine.cuda_graph import graphs
from dyrelu_pose.engine.cuda_graph import hook as hook_module
from dyrelu_pose.engine.cuda_graph.batch import StaticBatch, signature
from dyrelu_pose.engine.cuda_graph.graphs import CaptureError
from dyrelu_pose.engine.cuda_graph.refusals import reasons_against
from dyrelu_pose.engine.non_finite import NonFiniteLossError
from dyrelu_pose.errors import UserError

from . import recorded as recorded_module
from .conftest import EPOCHS, Toy
from .recorded import RecordedGraphs

BATCH, FULL = 5, 4  # of 24 samples: four full batches an epoch, and one of 4
ON_CPU = pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a GPU")
# Rates that float32 holds, as the graph reads them.
RATE = 2**-6
HALVED = dict(type="MultiStepLR", milestones=[3, 7, 11], gamma=0.5, by_epoch=False)


@pytest.fixture
def recorded(monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("records what runs on a CPU")
    found = RecordedGraphs()
    monkeypatch.setattr(hook_module, "Graphs", lambda: found)
    return found


def training(
    toy, folder, hooks=(), optimizer="AdamW", fused=True, clip=True, ema=True,
    type="OptimWrapper", dtype=None, **more,
):  # fmt: skip
    if ema:
        hooks = [*hooks, dict(type="EMAHook", momentum=0.25)]
    return toy(
        folder,
        hooks,
        batch=BATCH,
        optim_wrapper=dict(
            type=type,
            **(dict(dtype=dtype) if dtype else {}),
            optimizer=dict(type=optimizer, lr=RATE, weight_decay=0.1, fused=fused or None),
            clip_grad=dict(max_norm=0.5) if clip else None,
        ),
        param_scheduler=[HALVED],
        **more,
    )


def weights(runner):
    averages = [h.ema_model.state_dict() for h in runner.hooks if hasattr(h, "ema_model")]
    states = [runner.model.state_dict(), *averages]
    return {(i, name): value for i, state in enumerate(states) for name, value in state.items()}


def logged(runner):
    scalars = runner.message_hub.log_scalars
    names = [name for name in scalars if name.startswith("train/") and "time" not in name]
    return {name: scalars[name].data[0].tolist() for name in names if "memory" not in name}


def assert_same(runner, other):
    found, expected = weights(runner), weights(other)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


@pytest.mark.parametrize(("optimizer", "clip", "ema"), [("AdamW", 1, 1), ("SGD", 0, 0)])
def test_replays_train_as_eager_steps_do(toy, recorded, optimizer, clip, ema):
    options = dict(optimizer=optimizer, clip=clip, ema=ema)
    eager = training(toy, "eager", **options)
    eager.train()
    hook = CudaGraphHook(warmup=2)
    runner = training(toy, "graph", [hook], fused=False, **options)
    runner.train()
    assert_same(runner, eager)
    assert logged(runner) == logged(eager)
    for group in runner.optim_wrapper.param_groups:
        assert group["fused"]
        assert group.get("capturable", True)  # or PyTorch refuses to capture Adam
    replayed = EPOCHS * FULL - 2
    steps = EPOCHS * (FULL + 1)
    assert recorded.replays == [replayed, replayed, *([steps - 2] if ema else [])]
    assert recorded.eager_calls == 2 + EPOCHS  # the last batch of each epoch is a smaller one
    assert set(logged(eager)) == {"train/loss", "train/lr", *(["train/grad_norm"] if clip else [])}


class Loud(Toy):
    def forward(self, inputs, mode="loss"):
        return dict(loss=16 * super().forward(inputs, mode)["loss"])


def test_loss_scaling_is_a_part_of_the_replays(toy, recorded, monkeypatch):
    """The scale grows after three steps, and steps whose gradients overflow are left out."""
    scaler = partial(torch.amp.GradScaler, "cpu", init_scale=2.0**126, growth_interval=3)
    monkeypatch.setattr(amp_optimizer_wrapper, "GradScaler", scaler)
    monkeypatch.setattr(amp_optimizer_wrapper, "is_cuda_available", lambda: True)
    amp = dict(type="AmpOptimWrapper", dtype="bfloat16", clip=False, model=Loud)
    eager = training(toy, "eager", **amp)
    eager.train()
    runner = training(toy, "graph", [CudaGraphHook(warmup=1)], **amp)
    runner.train()
    assert_same(runner, eager)
    scalers = [r.optim_wrapper.loss_scaler.state_dict() for r in (runner, eager)]
    assert scalers[0] == scalers[1]
    steps = {int(state["step"]) for state in runner.optim_wrapper.optimizer.state.values()}
    assert 1 < max(steps) < EPOCHS * (FULL + 1)  # some were left out


def test_a_training_may_change_over_when_it_is_resumed(toy, recorded):
    """The first checkpoint is of an eager training whose optimizer counts its steps on the host."""
    start = training(toy, "start", fused=False)
    start.train()
    first = f"{start.work_dir}/epoch_1.pth"
    eager = training(toy, "eager", [CudaGraphHook(warmup=10**6)], resume=True, load_from=first)
    eager.train()
    assert recorded.replays == [2 * (FULL + 1) - 2]  # of the average
    replayed = training(toy, "graph", [CudaGraphHook(warmup=1)], resume=True, load_from=first)
    replayed.train()
    assert recorded.replays[1] == 2 * FULL - 1
    assert_same(replayed, eager)
    back = training(toy, "back", resume=True, load_from=f"{replayed.work_dir}/epoch_2.pth")
    back.train()
    assert_same(back, eager)


def test_a_runner_may_train_on(toy, recorded):
    runners = []
    for name, hooks in (("eager", []), ("graph", [CudaGraphHook(warmup=1)])):
        runner = training(toy, name, hooks)
        runner.train()
        runner.train_loop._max_epochs += 1
        runner.train()
        runners.append(runner)
    assert_same(*runners)
    assert recorded.replays[0] == EPOCHS * FULL - 1
    assert recorded.replays[3] == FULL - 1


def test_modules_that_are_watched_run_eagerly(toy, recorded):
    seen = []

    class Watch(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == 7:
                layer = runner.model.layers[0]
                self.handle = layer.register_forward_hook(lambda *args: seen.append(runner.iter))

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 7:
                self.handle.remove()

    training(toy, "run", [CudaGraphHook(warmup=1), Watch()]).train()
    assert seen == [7]
    assert recorded.replays[0] == EPOCHS * FULL - 2


@pytest.fixture
def pose():
    torch.manual_seed(0)
    cfg = Config.fromfile("configs/demo/dyrelu_resnet18.py").model
    for rule in cfg.dyrelu:
        rule.act.backend = "eager"  # Numba's loops are not operations of PyTorch
    return cfg


def people(seed):
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for index in range(2):
        sample = PoseDataSample(metainfo=dict(img_path=f"{seed}_{index}.jpg"))
        sample.gt_instances = InstanceData(bboxes=np.random.rand(1, 4))
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 16, 16, generator=generator))
        labels = torch.randint(2, (1, 17), generator=generator).float()
        sample.gt_instance_labels = InstanceData(keypoint_weights=labels)
        samples.append(sample)
    images = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    return dict(inputs=list(images), data_samples=samples)


def pose_training(pose, folder, batches, hooks=()):
    torch.manual_seed(0)
    model = MODELS.build(pose)
    model.train_cfg = dict(compute_acc=False)
    return Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader=DataLoader(batches, 1, collate_fn=lambda found: found[0]),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=RATE, fused=True)),
        train_cfg=dict(by_epoch=True, max_epochs=1),
        custom_hooks=[*hooks, dict(type="NonFiniteLossHook")],
        default_hooks=dict(checkpoint=None),
        randomness=dict(seed=0),
        experiment_name=folder.name,
        default_scope="mmpose",
    )


def test_targets_of_every_batch_reach_the_replayed_loss(pose, recorded, tmp_path):
    runners = []
    for name, hooks in (("eager", []), ("graph", [CudaGraphHook(warmup=1)])):
        runners.append(pose_training(pose, tmp_path / name, [*map(people, range(4))], hooks))
        runners[-1].train()
    assert recorded.replays == [3, 3]
    assert_same(*runners)
    assert logged(runners[0]) == logged(runners[1])


def test_a_loss_that_is_not_finite_leaves_the_weights_alone(pose, recorded, tmp_path):
    bad = people(3)
    bad["data_samples"][1].gt_fields.heatmaps[3] = float("nan")
    runner = pose_training(
        pose, tmp_path / "run", [*map(people, range(3)), bad], [CudaGraphHook(warmup=1)]
    )
    with pytest.raises(NonFiniteLossError, match="loss of iteration 4 is nan.*the targets"):
        runner.train()
    assert recorded.replays == [3, 2]
    assert all(value.isfinite().all() for value in runner.model.state_dict().values())


def test_batches_of_one_signature_fit_the_same_buffers():
    first, second = people(0), people(1)
    static = StaticBatch(first, torch.device("cpu"))
    assert signature(first) == signature(second) == signature(static.batch)
    static.fill(second)
    for sample, expected in zip(static.batch["data_samples"], second["data_samples"], strict=True):
        assert torch.equal(sample.gt_fields.heatmaps, expected.gt_fields.heatmaps)
        labels = sample.gt_instance_labels, expected.gt_instance_labels
        assert torch.equal(*(part.keypoint_weights for part in labels))
        assert "bboxes" not in sample.gt_instances  # an array, of the first batch for ever
        assert not sample.metainfo
    assert all(map(torch.equal, static.batch["inputs"], second["inputs"]))
    second["data_samples"].pop()
    assert signature(second) != signature(first)


class Reading(Toy):
    def forward(self, inputs, mode="loss"):
        losses = super().forward(inputs, mode)
        return dict(losses, doubled_loss=losses["loss"] * losses["loss"].item())


def test_a_model_that_waits_for_the_gpu_is_refused(toy, recorded, monkeypatch):
    ours = graphs.TORCH, recorded_module.__file__  # where PyTorch itself would raise
    monkeypatch.setattr(graphs, "TORCH", ours)
    runner = toy("run", [CudaGraphHook()], model=Reading)
    with pytest.raises(CaptureError, match=r"cannot be captured .*test_cuda_graph.py:\d+, operati"):
        runner.train()


def test_an_optimizer_that_cannot_be_captured_is_refused(toy, recorded):
    reason = "cannot capture this training: optimizer Adagrad is neither fused nor capturable"
    with pytest.raises(UserError, match=reason):
        toy("run", [CudaGraphHook()], optim="Adagrad").train()


class YOLOXPoseModeSwitchHook(Hook):
    pass


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({}, None),
        (
            dict(accumulative_counts=2),
            "optim_wrapper.accumulative_counts=2 needs other steps",
        ),
        (
            dict(param_schedulers=[SimpleNamespace(param_name="momentum")]),
            "param_scheduler SimpleNamespace changes momentum",
        ),
        (dict(cfg=dict(compile=True)), "compile is on, which launches kernels in its own way"),
        (
            dict(hooks=[YOLOXPoseModeSwitchHook()]),
            "YOLOXPoseModeSwitchHook changes the model while it trains",
        ),
        (dict(amp=True), "with mixed precision, optimizer NAdam decides on the host .*"),
    ],
)
def test_what_cannot_be_captured_is_named(parts, reason):
    model = Toy()
    wrapper = OptimWrapper(
        torch.optim.NAdam(model.parameters()),
        accumulative_counts=parts.get("accumulative_counts", 1),
    )
    if "amp" in parts:
        wrapper.__class__ = AmpOptimWrapper  # whose constructor asks for a GPU
    runner = SimpleNamespace(
        model=model, optim_wrapper=wrapper, cfg={}, hooks=[], param_schedulers=[]
    )
    vars(runner).update(parts)
    reasons = [*reasons_against(runner)]
    assert len(reasons) == (reason is not None)
    assert reason is None or re.fullmatch(reason, reasons[0])


@ON_CPU
def test_without_a_gpu_it_is_refused():
    with pytest.raises(UserError, match="CudaGraphHook .--cuda-graph. replays steps on a CUDA GPU"):
        CudaGraphHook()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("optimizer", ["AdamW", "SGD"])
def test_on_a_gpu_replays_train_as_eager_steps_do(toy, optimizer, monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # of the deterministic toy
    runners = []
    for name, warmup in (("eager", 10**6), ("graph", 2)):
        hook = CudaGraphHook(warmup=warmup)
        runners.append(training(toy, name, [hook], optimizer=optimizer))
        runners[-1].train()
    assert_same(*runners)
    assert logged(runners[0]) == logged(runners[1])
