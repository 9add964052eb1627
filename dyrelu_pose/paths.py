"""Where configs, checkpoints, tools and requirements are: in the checkout, or inside a wheel.

A wheel holds them in `dyrelu_pose/.mim`, where MMPose's has its own.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent
IN_WHEEL = _PACKAGE / ".mim"
ROOT = IN_WHEEL if IN_WHEEL.is_dir() else _PACKAGE.parent
CHECKPOINTS = ROOT / "checkpoints"
CONFIGS = ROOT / "configs"
TOOLS = ROOT / "tools"

# The trained model that comes with the project.
_SHIPPED = "dyrelu_mobilenetv2_128x96_lspet"
SHIPPED_CONFIG = CONFIGS / "coco_mini" / f"{_SHIPPED}.py"
SHIPPED_CHECKPOINT = CHECKPOINTS / f"{_SHIPPED}.pth"


def install_command(name: str) -> str:
    """Return the command that installs one of the requirement files for `pip --no-deps`."""
    return f"pip install --no-deps -r {ROOT / f'requirements/{name}.txt'}"
