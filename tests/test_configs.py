"""Every config that ships builds, and its placement is what its name says."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmpose.registry import MODELS, TRANSFORMS

from dyrelu_pose.layers import DyReLU
from dyrelu_pose.paths import SHIPPED_CONFIG, TWIN_CONFIG

ROOT = Path(__file__).parents[1] / "configs"
# Parts of configs; grids and classifiers, which tests/ablation and tests/models have.
ELSEWHERE = ("_base_", "ablations", "imagenet")
POSE = [path for path in ROOT.rglob("*.py") if path.parts[len(ROOT.parts)] not in ELSEWHERE]
CONFIGS = sorted(str(path.relative_to(ROOT)) for path in POSE)

# Sites by variant; a config that is not here has none.
PLACED = {
    "dyrelu_hrnet.py": dict(DyReLUB=261, DyReLUC=1),
    "dyrelu_hrnet_backbone-only.py": dict(DyReLUB=261),
    "dyrelu_hrnet-w48.py": dict(DyReLUB=261, DyReLUC=1),
    "dyrelu_mobilenetv2.py": dict(DyReLUB=35, DyReLUC=7),
    "dyrelu_mobilenetv2-x05.py": dict(DyReLUB=35, DyReLUC=7),
    "dyrelu_mobilenetv3-large.py": dict(DyReLUB=31, DyReLUC=7),
    "dyrelu_mobilenetv3-small.py": dict(DyReLUB=23, DyReLUC=7),
    "dyrelu_resnet18.py": dict(DyReLUB=17, DyReLUC=3),
    "dyrelu_resnet50.py": dict(DyReLUB=49, DyReLUC=3),
    "coco_mini/dyrelu_hrnet_256x192.py": dict(DyReLUB=261, DyReLUC=1),
    "coco_mini/dyrelu_mobilenetv2_256x192.py": dict(DyReLUB=35, DyReLUC=7),
    "coco_mini/dyrelu_mobilenetv2_128x96.py": dict(DyReLUB=35, DyReLUC=7),
    "coco_mini/dyrelu_mobilenetv2_128x96_lspet.py": dict(DyReLUB=35, DyReLUC=7),
    "coco_mini/dyrelu_mobilenetv2-multiscale_128x96.py": dict(DyReLUB=28, DyReLUC=3),
    "coco_mini/dyrelu_mobilenetv2-multiscale_128x96_finetune.py": dict(DyReLUB=28, DyReLUC=3),
    "coco_mini/dyrelu_mobilenetv2_128x96_head-only.py": dict(DyReLUC=7),
    "demo/dyrelu_resnet18.py": dict(DyReLUB=17, DyReLUC=5),
}

TWINS = {
    "dyrelu_hrnet.py": "baselines/hrnet.py",
    "dyrelu_hrnet-w48.py": "baselines/hrnet-w48.py",
    "dyrelu_mobilenetv2.py": "baselines/mobilenetv2.py",
    "dyrelu_mobilenetv2-x05.py": "baselines/mobilenetv2-x05.py",
    "dyrelu_mobilenetv3-large.py": "baselines/mobilenetv3-large.py",
    "dyrelu_mobilenetv3-small.py": "baselines/mobilenetv3-small.py",
    "dyrelu_resnet18.py": "baselines/resnet18.py",
    "dyrelu_resnet50.py": "baselines/resnet50.py",
    "coco_mini/dyrelu_hrnet_256x192.py": "coco_mini/hrnet_256x192.py",
    "coco_mini/dyrelu_mobilenetv2_256x192.py": "coco_mini/mobilenetv2_256x192.py",
    "coco_mini/dyrelu_mobilenetv2_128x96.py": "coco_mini/mobilenetv2_128x96.py",
    "coco_mini/dyrelu_mobilenetv2_128x96_head-only.py": "coco_mini/mobilenetv2_128x96.py",
    f"coco_mini/{SHIPPED_CONFIG.name}": f"coco_mini/{TWIN_CONFIG.name}",
    "demo/dyrelu_resnet18.py": "demo/resnet18.py",
}


def load(name):
    return Config.fromfile(ROOT / name)


@pytest.mark.parametrize("name", CONFIGS)
def test_builds_and_places_what_its_name_says(name):
    config = load(name)
    model = MODELS.build(config.model)
    kinds = Counter(type(m).__name__ for m in model.modules() if isinstance(m, DyReLU))
    assert kinds == PLACED.get(name, {})
    assert ("dyrelu" in name) == (name in PLACED)


@pytest.mark.parametrize("name", CONFIGS)
def test_predicts_heatmaps_of_the_codecs_size(name):
    config = load(name)
    model = MODELS.build(config.model).to("meta")
    width, height = config.codec.input_size
    heatmaps = model(torch.empty(1, 3, height, width, device="meta"), None, mode="tensor")
    assert heatmaps.shape == (1, 17, *reversed(config.codec.heatmap_size))


@pytest.mark.parametrize("name", CONFIGS)
def test_evaluates_with_pycocotools_and_its_transforms_exist(name):
    config = load(name)
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        for part in loader.dataset.get("datasets", [loader.dataset]):
            for transform in part.pipeline:
                TRANSFORMS.build(transform)
    assert config.val_evaluator == config.test_evaluator
    evaluators = config.val_evaluator
    coco, *others = evaluators if isinstance(evaluators, list) else [evaluators]
    assert coco.type == "PycocoMetric"
    assert [other.type for other in others] == ["HeatmapNLL"] * config.model.test_cfg.get(
        "output_heatmaps", False
    )
    assert coco.ann_file.startswith(config.val_dataloader.dataset.data_root)


@pytest.mark.parametrize("name", TWINS)
def test_differs_from_its_twin_in_placement_and_rates_alone(name):
    ours, twin = load(name), load(TWINS[name])
    ours.model.pop("dyrelu")
    ours.model.type = ours.model.pop("estimator")
    if ours.model.backbone.type == "MobileNetV3WithoutSE":
        ours.model.backbone.type = "MobileNetV3"  # the paper's second difference
    assert ours.optim_wrapper.pop("constructor") == "DyReLUOptimWrapperConstructor"
    for schedule in (*ours.param_scheduler, *twin.param_scheduler):
        if share := schedule.pop("eta_min_ratio", None):
            schedule.eta_min = share * twin.optim_wrapper.optimizer.lr
    assert ours.to_dict() == twin.to_dict()


@pytest.mark.parametrize("name", PLACED)
def test_hyper_functions_have_a_rate_that_no_schedule_ends_above(name):
    config = load(name)
    if name == "coco_mini/dyrelu_mobilenetv2_128x96_lspet.py":  # as it was trained
        assert config.optim_wrapper.constructor == "DefaultOptimWrapperConstructor"
        return
    wrapper = build_optim_wrapper(MODELS.build(config.model), config.optim_wrapper)
    rates = [group["lr"] for group in wrapper.optimizer.param_groups]
    assert min(rates) < max(rates) / 10
    assert all((schedule.get("eta_min") or 0) < min(rates) for schedule in config.param_scheduler)


@pytest.mark.parametrize("name", [name for name in TWINS if "/" not in name])
def test_follows_the_papers_schedule(name):
    config = load(name)
    assert config.train_cfg.max_epochs == 210
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ("Adam", 1e-3)
    (milestones,) = [s.milestones for s in config.param_scheduler if "milestones" in s]
    assert milestones == [170, 200]
    assert config.codec.input_size == (192, 256)
    assert config.codec.heatmap_size == (48, 64)
    assert config.model.test_cfg.flip_test
