"""The models that benchmarks/deployed.py times: one network with DyReLU in more or fewer places."""

import copy
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import Tensor, nn

from dyrelu_pose.export.network import Network, Normalize
from dyrelu_pose.inference.load import load_trained
from dyrelu_pose.paths import CONFIGS, SHIPPED_CHECKPOINT, SHIPPED_CONFIG

SEED = 0
DEEP = {  # sites of the backbone on the smaller maps
    "MobileNetV2": ["backbone.layer[4-7].*", "backbone.conv2.*"],
    "MobileNetV2WithoutLastConv": ["backbone.layer[4-7].*"],
    "HRNet": ["backbone.stage4.*"],
}
PLACEMENTS = ("none", "all", "deep", "head")


class Case(NamedTuple):
    """A network to time.

    Attributes:
        config: Stem of a config of configs/coco_mini with DyReLU.
        reduction: R of every site, or None for the config's own.
    """

    config: str
    reduction: int | None = None

    def load(self, placement: str) -> Config:
        """Return the config with DyReLU in the places of a `placement`."""
        cfg = Config.fromfile(CONFIGS / f"coco_mini/{self.config}.py")
        backbone, head = cfg.model.dyrelu
        rules = dict(
            none=[],
            all=[backbone, head],
            deep=[dict(backbone, sites=DEEP[cfg.model.backbone.type])],
            head=[head],
        )[placement]
        cfg.model.dyrelu = rules
        for rule in cfg.model.dyrelu:
            if self.reduction:
                rule.act.reduction = self.reduction
        return cfg


PUBLISHED = Case(SHIPPED_CONFIG.stem)


def build(case: Case, placement: str, pixels: Tensor) -> tuple[Network, Tensor, str]:
    """Return a model as it is exported, its input, and whose weights it has.

    The published model has its own. Others have random ones, on which time does not depend: hyper
    functions that follow the image (init='default'), and batch normalisations that have seen the
    input, so that numbers stay of size 1 through the layers.

    Args:
        case: The network.
        placement: Of `PLACEMENTS`.
        pixels: Persons, (N, 3, H, W), floating.
    """
    cfg = case.load(placement)
    if case == PUBLISHED and placement == "all":
        model, weights = load_trained(cfg, SHIPPED_CHECKPOINT), SHIPPED_CHECKPOINT.name
    else:
        cfg = copy.deepcopy(cfg)
        for rule in cfg.model.dyrelu:
            rule.act.init = "default"
        torch.manual_seed(SEED)
        model, weights = MODELS.build(cfg.model), "random"
    images = Normalize(model.data_preprocessor)(pixels)
    if weights == "random":
        see(model, images)
    model.eval()  # a statement: the eval() of MMPose's models may return None
    return Network(model).eval(), images, weights


def see(model: nn.Module, images: Tensor) -> None:
    """Give batch normalisations the statistics of images."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # those of the last batch alone
    model.train()
    with torch.no_grad():
        model(images, None, mode="tensor")
