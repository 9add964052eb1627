"""A toy training, whose data and model both draw random numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from dyrelu_pose.engine import add_safeguards

SAMPLES, BATCH, EPOCHS = 24, 4, 3


class Points(BaseDataset):
    """Numbered points to which the pipeline adds noise."""

    def load_data_list(self):
        return [dict(x=np.full(8, i, np.float32)) for i in range(SAMPLES)]


def add_noise(results):
    noise = np.random.randn(8) + torch.rand(8).numpy()
    return dict(inputs=torch.as_tensor(results["x"] / SAMPLES + noise, dtype=torch.float32))


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, inputs, mode="loss"):
        return dict(loss=self.layers(torch.stack(list(inputs))).square().mean())


def log_of(runner):
    (path,) = Path(runner.log_dir).glob("*.log")
    return path.read_text()


@pytest.fixture
def toy(tmp_path):
    """Return a function that builds the runner of a toy training."""
    from mmengine.config import Config

    count = iter(range(100))

    def make(
        folder="run", hooks=(), workers=0, persistent=False, max_keep=-1, model=Toy, optim="Adam",
        paramwise=None, batch=BATCH, optim_wrapper=None, dataset=None, train_cfg=None, **more,
    ):  # fmt: skip
        torch.manual_seed(0)
        cfg = Config(
            dict(
                train_cfg=train_cfg or dict(by_epoch=True, max_epochs=EPOCHS),
                randomness=dict(seed=3, deterministic=True),
            )
        )
        add_safeguards(cfg)
        return Runner(
            model=model(),
            work_dir=str(tmp_path / folder),
            train_dataloader=dict(
                dataset=dataset or Points(pipeline=[add_noise]),
                batch_size=batch,
                num_workers=workers,
                persistent_workers=persistent,
                sampler=dict(type="DefaultSampler", shuffle=True),
            ),
            optim_wrapper=optim_wrapper
            or dict(optimizer=dict(type=optim, lr=0.01), paramwise_cfg=paramwise),
            default_hooks=dict(
                checkpoint=dict(type="CheckpointHook", interval=1, max_keep_ckpts=max_keep)
            ),
            custom_hooks=[*cfg.custom_hooks, *hooks],
            train_cfg=cfg.train_cfg,
            randomness=cfg.randomness,
            default_scope="mmpose",
            experiment_name=f"toy{next(count)}-{tmp_path.name}",
            **more,
        )

    return make
