"""One function per table of the README; each returns markdown made from files in results/."""

from .coco_mini import coco_mini, tried
from .complexity import complexity, imagenet_cost
from .coverage import coverage
from .deployed import deployed, deployed_ap
from .distributed import distributed
from .hidden_units import hidden_units
from .longer import longer
from .model_card import model_card
from .reliability import reliability
from .safeguards import safeguards
from .scale import scale_evaluation, scale_gpus, scale_index, scale_workers
from .speed import loader, speed_model, speed_op
from .tools import dev_tools, tools
from .trust import compatibility, dependencies

__all__ = [
    "coco_mini",
    "compatibility",
    "complexity",
    "coverage",
    "dependencies",
    "deployed",
    "deployed_ap",
    "dev_tools",
    "distributed",
    "hidden_units",
    "imagenet_cost",
    "loader",
    "longer",
    "model_card",
    "reliability",
    "safeguards",
    "scale_evaluation",
    "scale_gpus",
    "scale_index",
    "scale_workers",
    "speed_model",
    "speed_op",
    "tools",
    "tried",
]
