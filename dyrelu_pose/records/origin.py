"""Where a number came from: the device, the versions and the revision that made it."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from dyrelu_pose.paths import IN_WHEEL, ROOT

PACKAGES = ("torch", "numpy", "mmengine", "mmcv-lite", "mmpose", "pycocotools")


def device() -> str:
    """Name the accelerator, or else the processor and its number of threads."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {processor()}, {torch.get_num_threads()} thread(s)"


def processor() -> str:
    """Name the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of `PACKAGES` and of any `more` packages, by their names."""
    packages = {name: version(name) for name in (*PACKAGES, *more)}
    return dict(python=platform.python_version(), **packages)


def revision() -> str:
    """Return the git revision of this checkout, "" outside of git, or the version of the wheel."""
    if IN_WHEEL.is_dir():  # which may be inside a checkout of something else
        return version("dyrelu_pose")
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
