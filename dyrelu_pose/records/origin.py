"""Where a number came from: the command, the device, the versions and the revision that made it."""

import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import torch

from dyrelu_pose.paths import IN_WHEEL, ROOT

PACKAGES = ("torch", "numpy", "mmengine", "mmcv-lite", "mmpose", "pycocotools")


def origin(*packages: str) -> dict[str, object]:
    """Return what every record of this process says of itself: how to make it again, and where.

    Args:
        packages: Whose versions matter beside those of `PACKAGES`.

    Returns:
        `command`, `device`, `versions` (a dict by package), `revision` and `date` (UTC).
    """
    return dict(
        command=command(),
        device=device(),
        versions=versions(*packages),
        revision=revision(),
        date=today(),
    )


def command() -> str:
    """Return the command line of this process, with its script as seen from the checkout."""
    script = Path(sys.argv[0])
    if script.is_absolute() and script.is_relative_to(ROOT):
        script = script.relative_to(ROOT)
    return shlex.join(["python", str(script), *sys.argv[1:]])


def today() -> str:
    """Return the date, in UTC, as ISO writes it."""
    return datetime.now(timezone.utc).date().isoformat()


def device() -> str:
    """Name the accelerator, or else the processor and its number of threads."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU, {processor()}, {torch.get_num_threads()} thread(s)"


def processor() -> str:
    """Name the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions(*more: str) -> dict[str, str]:
    """Return the versions of Python, of `PACKAGES` and of any `more` packages, by their names."""
    packages = {name: version(name) for name in (*PACKAGES, *more)}
    return dict(python=platform.python_version(), **packages)


def revision() -> str:
    """Return the revision of the code that runs.

    Returns:
        The git revision of this checkout, with `-dirty` where a tracked file outside of results/
        differs from it; `""` outside of git; in a wheel its version.
    """
    if IN_WHEEL.is_dir():  # which may be inside a checkout of something else
        return version("dyrelu_pose")
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    return head + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip()
