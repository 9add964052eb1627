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

# The trained model that comes with the project, and its ReLU6 twin.
_TWIN = "mobilenetv2-multiscale_128x96"
SHIPPED_CONFIG = CONFIGS / "coco_mini" / f"dyrelu_{_TWIN}.py"
SHIPPED_CHECKPOINT = CHECKPOINTS / f"dyrelu_{_TWIN}.pth"
TWIN_CONFIG = CONFIGS / "coco_mini" / f"{_TWIN}.py"
TWIN_CHECKPOINT = CHECKPOINTS / f"{_TWIN}.pth"


def install_command(name: str) -> str:
    """Return the command that installs one of the requirement files for `pip --no-deps`."""
    return f"pip install --no-deps -r {ROOT / f'requirements/{name}.txt'}"
