"""The tables of the pages, a file per page; each is Markdown made from files in results/.

A function takes the page, so that links to what the table is made from lead there.
"""

from .deploy import deployed, deployed_ap, deployed_torch, detectors
from .gpus import speed_gpu, speed_gpu_models, speed_host
from .results import coco_mini, hidden_units, longer, model_card, tried
from .scale import distributed, scale_evaluation, scale_gpus, scale_index, scale_workers
from .speed import (
    complexity,
    imagenet_cost,
    kept,
    loader,
    speed_compiled,
    speed_fused,
    speed_model,
    speed_op,
)
from .study import gain, gain_cells, study_recipe
from .tools import dev_tools, tools
from .trust import compatibility, dependencies, reliability, safeguards
from .your_config import coverage

__all__ = [
    "coco_mini",
    "compatibility",
    "complexity",
    "coverage",
    "dependencies",
    "deployed",
    "deployed_ap",
    "deployed_torch",
    "detectors",
    "dev_tools",
    "distributed",
    "gain",
    "gain_cells",
    "hidden_units",
    "imagenet_cost",
    "kept",
    "loader",
    "longer",
    "model_card",
    "reliability",
    "safeguards",
    "scale_evaluation",
    "scale_gpus",
    "scale_index",
    "scale_workers",
    "speed_compiled",
    "speed_fused",
    "speed_gpu",
    "speed_gpu_models",
    "speed_host",
    "speed_model",
    "speed_op",
    "study_recipe",
    "tools",
    "tried",
]
