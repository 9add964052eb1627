"""Where the trained model is that comes with the project."""

from pathlib import Path

NAME = "dyrelu_mobilenetv2_128x96_lspet"
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "coco_mini" / f"{NAME}.py"
CHECKPOINT = ROOT / "checkpoints" / f"{NAME}.pth"
