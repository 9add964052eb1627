"""What MMPose's configs name of mmdet is there without it."""

import pytest
import torch
from mmengine.dataset import Compose, ConcatDataset, RepeatDataset
from mmengine.logging import MMLogger
from mmengine.registry import HOOKS, TRANSFORMS
from mmpose.datasets.transforms import YOLOXHSVRandomAug
from mmpose.registry import MODELS

from dyrelu_pose.engine.pipeline_switch import PipelineSwitchHook, change_pipeline
from tests.compat.test_mmpose import package, run

from .conftest import SAMPLES, Points, Toy, add_noise


def constant(results):
    return dict(inputs=torch.full((8,), 3.0))


class Watching(Toy):
    """Notes of each sample whether it is all threes."""

    def __init__(self):
        super().__init__()
        self.constants = []

    def forward(self, inputs, mode="loss"):
        self.constants += [bool((sample == 3).all()) for sample in inputs]
        return super().forward(inputs, mode)


def test_names_of_mmpose_configs():
    assert HOOKS.get("mmdet.PipelineSwitchHook") is PipelineSwitchHook
    assert TRANSFORMS.get("mmdet.YOLOXHSVRandomAug") is YOLOXHSVRandomAug
    assert HOOKS.get("mmdet.CheckInvalidLossHook") is None


def test_a_backbone_of_mmdets_scope_is_mmposes_without_a_word(tmp_path):
    log = tmp_path / "run.log"
    MMLogger.get_instance("scoped", log_file=str(log))
    backbone = MODELS.build(
        dict(_scope_="mmdet", type="CSPNeXt", deepen_factor=0.167, widen_factor=0.125)
    )
    assert type(backbone).__module__ == "mmpose.models.backbones.cspnext"
    with pytest.raises(KeyError, match="YOLOX"):
        MODELS.build(dict(_scope_="mmdet", type="YOLOX"))
    assert log.read_text(encoding="utf-8") == ""


def test_a_real_mmdet_has_its_own(tmp_path):
    files = {
        "mmdet/utils/__init__.py": "ConfigType = reduce_mean = None",
        "mmdet/registry.py": "",
    }
    package(tmp_path, files)
    run(
        """
        import dyrelu_pose
        from mmengine.registry import HOOKS, TRANSFORMS

        from mmpose.registry import MODELS

        for registry in (HOOKS, TRANSFORMS, MODELS):
            assert "mmdet" not in registry.children
        """,
        tmp_path,
    )


@pytest.mark.parametrize("workers", [0, 1])
def test_the_pipeline_changes_at_its_epoch_and_stays_so(toy, workers):
    switch = dict(type="mmdet.PipelineSwitchHook", switch_epoch=1, switch_pipeline=[constant])
    options = dict(hooks=[switch], model=Watching, workers=workers, persistent=bool(workers))
    runner = toy(**options)
    runner.train()
    assert runner.model.constants == [False] * SAMPLES + [True] * 2 * SAMPLES

    resumed = toy("resumed", resume=True, load_from=f"{runner.work_dir}/epoch_2.pth", **options)
    resumed.train()
    assert resumed.model.constants == [True] * SAMPLES


def test_data_sets_in_others_are_changed():
    parts = [Points(pipeline=[add_noise]) for _ in range(3)]
    pipeline = Compose([constant])
    change_pipeline(ConcatDataset(parts[:2]), pipeline)
    change_pipeline(RepeatDataset(parts[2], 2), pipeline)
    assert [part.pipeline for part in parts] == [pipeline] * 3
    assert (parts[2][0]["inputs"] == 3).all()
