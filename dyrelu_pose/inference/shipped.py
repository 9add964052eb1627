"""Where the trained model is that comes with the project."""

from dyrelu_pose.paths import CHECKPOINTS, CONFIGS

NAME = "dyrelu_mobilenetv2_128x96_lspet"
CONFIG = CONFIGS / "coco_mini" / f"{NAME}.py"
CHECKPOINT = CHECKPOINTS / f"{NAME}.pth"
